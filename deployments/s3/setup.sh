#!/bin/sh
# The bucket and that of its backups, and a user for the pipeline and for each site, named as the
# site: the policy reads the name. May be repeated; a key that changed replaces the old one.
set -eu

here=$(dirname "$0")

mc alias set store "$S3_ADDRESS" "$S3_ROOT_USER" "$S3_ROOT_PASSWORD" >/dev/null
for bucket in groundtruth groundtruth-backup; do
  mc mb --ignore-existing "store/$bucket"
  mc anonymous set none "store/$bucket"
done
# The pipeline's key may add to backups and delete nothing of them; what it writes over is kept.
mc version enable store/groundtruth-backup

user() {
  mc admin policy create store "$2" "$here/$2.json"
  mc admin user add store "$1" "$3"
  case $(mc admin user info store "$1") in
    *"$2"*) ;;
    *) mc admin policy attach store "$2" --user "$1" ;;
  esac
}

user groundtruth pipeline "$PIPELINE_S3_SECRET"
user vendor-a site "$VENDOR_A_S3_SECRET"
user vendor-b site "$VENDOR_B_S3_SECRET"

"""Programs, disks, blobs, secrets and backups: each is broken for real, and named."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog import BlobStore, backup
from deployments.doctor import catalogue, places, programs
from deployments.doctor.examination import Level
from deployments.label_studio import local_sites
from deployments.logins import Credentials
from deployments.observability.endpoint import token
from tasks.settings import Observability, Settings
from tests.deployments.doctor.findings import told


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    opened = Settings(data=tmp_path / "data")
    opened.data.mkdir()
    yield opened
    opened.catalog.close()


def watching(settings: Settings, **given: object) -> Settings:
    return settings.model_copy(update={"observability": Observability(**given)})


class TestPrograms:
    def test_this_environment_is_as_it_is_to_be(self, settings: Settings) -> None:
        for look in (programs.python, programs.packages):
            assert not told(look, settings, Level.ERROR)

    def test_a_version_with_which_schedules_create_no_runs_is_named(
        self, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        newer = tmp_path / "sqlalchemy-2.1.9.dist-info"
        newer.mkdir()
        (newer / "METADATA").write_text("Metadata-Version: 2.1\nName: SQLAlchemy\nVersion: 2.1.9\n")
        monkeypatch.syspath_prepend(tmp_path)

        [found] = told(programs.packages, settings, Level.ERROR)

        assert "sqlalchemy 2.1.9 is installed, and <2.1" in found.says


class TestDisks:
    def test_little_room_is_a_warning(self, settings: Settings) -> None:
        greedy = watching(settings, free_at_least=0.9999)

        found = told(places.space, greedy, Level.WARNING)

        assert str(settings.data) in found[0].says

    def test_no_room_is_an_error(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(places, "LEAST_BYTES", 10**18)

        assert told(places.space, settings, Level.ERROR)


class TestTheBlobStore:
    def test_one_that_works_is_left_as_it_was(self, settings: Settings) -> None:
        assert told(places.blobs, settings, Level.OK)
        assert list(settings.blob_store.every_key()) == []

    def test_one_that_cannot_be_written_is_named(self, settings: Settings, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        broken = settings.model_copy(update={"blobs": f"file://{tmp_path}/file/blobs"})

        [found] = told(places.blobs, broken, Level.ERROR)

        assert f"{tmp_path}/file/blobs cannot be used" in found.says


class TestSecrets:
    @pytest.mark.parametrize("file", ["logins", "token"])
    def test_a_file_that_others_may_read_is_named(self, settings: Settings, file: str) -> None:
        [site] = local_sites(settings)
        site.folder.mkdir(parents=True)
        Credentials.create("local").save(site.credentials_file)
        token(settings.metrics_token_file)
        assert not told(places.secrets, settings, Level.ERROR)

        opened = {"logins": site.credentials_file, "token": settings.metrics_token_file}[file]
        opened.chmod(0o644)

        [found] = told(places.secrets, settings, Level.ERROR)
        assert str(opened) in found.says
        assert f"chmod 600 {opened}" in found.do

    def test_a_password_in_the_settings_file_makes_it_one(
        self, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "groundtruth.toml"
        file.write_text('catalogue = "postgresql+psycopg://ann:secret-word@db/x"\n')
        file.chmod(0o640)
        monkeypatch.setenv("GROUNDTRUTH_SETTINGS", str(file))
        with_password = settings.model_copy(
            update={"catalogue": "postgresql+psycopg://ann:secret-word@db/x"}
        )

        [found] = told(places.secrets, with_password, Level.ERROR)

        assert str(file) in found.says


class TestBackups:
    def test_no_place_for_them_is_a_warning(self, settings: Settings) -> None:
        assert told(catalogue.backups, settings, Level.WARNING)

    def test_a_place_without_one_is_an_error(self, settings: Settings, tmp_path: Path) -> None:
        empty = watching(settings, backup=str(tmp_path / "nothing"))

        [found] = told(catalogue.backups, empty, Level.ERROR)

        assert "there is no backup at" in found.says

    def test_the_newest_counts(self, settings: Settings, tmp_path: Path) -> None:
        kept = watching(settings, backup=str(tmp_path / "kept"))
        backup.backup(settings.catalog, settings.blob_store, str(tmp_path / "kept"))
        assert told(catalogue.backups, kept, Level.OK)

        stored = BlobStore(str(tmp_path / "kept"))
        [newest] = stored.every_key("manifests")
        long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=30)
        stored.put(f"manifests/{long_ago.strftime(backup.MANIFEST)}", stored.get(newest))
        assert told(catalogue.backups, kept, Level.OK)

        stored.delete(newest)
        [found] = told(catalogue.backups, kept, Level.ERROR)
        assert "30.0 days old" in found.says

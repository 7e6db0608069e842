-- A database and a role for each server. A role owns its own database and enters no other.
-- psql reads the passwords from its environment.
\set ON_ERROR_STOP on
\getenv catalogue CATALOGUE_PASSWORD
\getenv prefect PREFECT_DATABASE_PASSWORD
\getenv vendor_a VENDOR_A_DATABASE_PASSWORD
\getenv vendor_b VENDOR_B_DATABASE_PASSWORD

-- Passwords are not to stand in the server's log, whatever it logs.
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET password_encryption = 'scram-sha-256';

CREATE ROLE groundtruth LOGIN CONNECTION LIMIT 60 PASSWORD :'catalogue';
CREATE ROLE prefect LOGIN CONNECTION LIMIT 60 PASSWORD :'prefect';
CREATE ROLE "vendor-a" LOGIN CONNECTION LIMIT 30 PASSWORD :'vendor_a';
CREATE ROLE "vendor-b" LOGIN CONNECTION LIMIT 30 PASSWORD :'vendor_b';

CREATE DATABASE groundtruth OWNER groundtruth;
CREATE DATABASE prefect OWNER prefect;
CREATE DATABASE "vendor-a" OWNER "vendor-a";
CREATE DATABASE "vendor-b" OWNER "vendor-b";

-- PostgreSQL lets everybody enter every database, unless it is told otherwise.
REVOKE ALL ON DATABASE groundtruth, prefect, "vendor-a", "vendor-b", postgres, template1
  FROM PUBLIC;

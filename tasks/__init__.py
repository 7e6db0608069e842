"""Prefect tasks: retries, artifacts and progress around calls into the packages below; thin."""

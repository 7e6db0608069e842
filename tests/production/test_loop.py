"""The whole loop on PostgreSQL, S3 and two vendors' sites, behind the proxy."""

from tests.production.conftest import Production


def test_it_is_up(production: Production) -> None:
    with production.visitor("prefect") as visitor:
        assert visitor.get("/api/health").json() is True
        assert visitor.get("/api/admin/version").status_code == 401

"""What is sent to servers: logins, the order of migrations, passwords that are never in clear."""

from deploy.local import kafka, migrations, postgres
from deploy.local.kafka import Login


def test_a_services_dsn_keeps_where_and_how_of_the_administrators():
    dsn = postgres.dsn_of("registry", "word", "postgresql://admin:secret@db.example:6000/postgres?sslmode=require")
    assert dsn == "postgresql://siao_registry:word@db.example:6000/siao?sslmode=require"


def test_the_store_comes_before_what_uses_it():
    names = [migration.name for migration in postgres.files("registry")]
    assert names.index("eventstore/0001_event_store.sql") == 0
    assert names[-1].startswith("registry/")
    assert len(set(names)) == len(names)


def test_projections_hold_no_event_store():
    assert not [m.name for m in postgres.files("projections") if m.name.startswith("eventstore")]


def test_migrations_are_read_by_folder_and_number(tmp_path):
    for name in ("b/migrations/0001_x.sql", "a/migrations/0002_y.sql", "a/migrations/0001_z.sql"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    read = migrations.read([tmp_path / "b" / "migrations", tmp_path / "a" / "migrations"])
    assert [migration.name for migration in read] == ["b/0001_x.sql", "a/0001_z.sql", "a/0002_y.sql"]


def test_a_password_is_never_sent_in_clear():
    stored = postgres.scram("secret")
    assert stored.startswith("SCRAM-SHA-256$4096:")
    assert "secret" not in stored
    assert stored != postgres.scram("secret")


def test_an_administrators_login_to_kafka():
    assert kafka.parse("admin:a:b@c@kafka:9092") == Login("kafka:9092", "admin", "a:b@c")
    assert kafka.parse("kafka:9092") == Login("kafka:9092")
    assert not kafka.parse("kafka:9092").secured

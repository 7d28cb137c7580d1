"""Where plans are kept: SQLAlchemy, an SQLite file by default, any database by URL."""

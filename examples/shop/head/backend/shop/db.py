"""The database: one connection for each request, rows that answer to their column names."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from shop import settings

SCHEMA = """
create table if not exists customers (
    tenant text not null, id integer not null, email text not null, primary key (tenant, id));
create table if not exists orders (
    tenant text not null, id integer not null, customer integer not null, status text not null,
    currency text not null, total text not null, note text not null default '',
    placed_at text not null, primary key (tenant, id));
create table if not exists order_lines (
    tenant text not null, order_id integer not null, sku text not null,
    unit_price text not null, quantity integer not null);
create table if not exists coupons (
    tenant text not null, code text not null, percent text not null, uses_left integer not null,
    expires_at text not null, primary key (tenant, code));
create table if not exists returns (
    tenant text not null, id integer not null, order_id integer not null,
    customer integer not null, state text not null, refund text not null,
    reason text not null default '', asked_at text not null, primary key (tenant, id));
create table if not exists return_lines (
    tenant text not null, return_id integer not null, sku text not null,
    quantity integer not null, primary key (tenant, return_id, sku));
create table if not exists loyalty (
    tenant text not null, customer integer not null, cause text not null,
    points integer not null, expires_at text not null, primary key (tenant, customer, cause));
"""


@contextmanager
def connection() -> Iterator[sqlite3.Connection]:
    """Open the database; commit when the block ends well, roll back when it does not."""
    conn = sqlite3.connect(settings.DATABASE, timeout=5.0)
    conn.row_factory = sqlite3.Row
    try:
        with conn:
            yield conn
    finally:
        conn.close()

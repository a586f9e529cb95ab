package stock

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Store keeps items and levels in a database.
type Store struct {
	db *sql.DB
}

// NewStore returns a store over a database.
func NewStore(db *sql.DB) *Store {
	return &Store{db: db}
}

// Item returns an item by its number, or ErrUnknown.
func (s *Store) Item(ctx context.Context, sku string) (Item, error) {
	var item Item
	row := s.db.QueryRowContext(ctx, "SELECT sku, name, supplier FROM items WHERE sku = $1", sku)
	err := row.Scan(&item.SKU, &item.Name, &item.Supplier)
	if errors.Is(err, sql.ErrNoRows) {
		return Item{}, ErrUnknown
	}
	return item, err
}

// Levels returns what the warehouses have of an item, by warehouse.
func (s *Store) Levels(ctx context.Context, sku string) ([]Level, error) {
	rows, err := s.db.QueryContext(ctx,
		"SELECT sku, warehouse, pieces FROM levels WHERE sku = $1 ORDER BY warehouse", sku)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var levels []Level
	for rows.Next() {
		var level Level
		if err := rows.Scan(&level.SKU, &level.Warehouse, &level.Pieces); err != nil {
			return nil, err
		}
		levels = append(levels, level)
	}
	return levels, rows.Err()
}

// SetLevel stores how many pieces of an item a warehouse has.
func (s *Store) SetLevel(ctx context.Context, level Level) error {
	_, err := s.db.ExecContext(ctx,
		`INSERT INTO levels (sku, warehouse, pieces) VALUES ($1, $2, $3)
		 ON CONFLICT (sku, warehouse) DO UPDATE SET pieces = excluded.pieces`,
		level.SKU, level.Warehouse, level.Pieces)
	return err
}

// inTx runs work in a transaction, which is rolled back where work fails.
func (s *Store) inTx(ctx context.Context, work func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := work(tx); err != nil {
		if undo := tx.Rollback(); undo != nil {
			return fmt.Errorf("%w (and the rollback: %v)", err, undo)
		}
		return err
	}
	return tx.Commit()
}

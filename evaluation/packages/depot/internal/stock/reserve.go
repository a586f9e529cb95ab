package stock

import (
	"context"
	"database/sql"
	"errors"
)

// Reserve takes pieces off a level and holds them; ErrTooFew where there are not as many.
func (s *Store) Reserve(ctx context.Context, sku, warehouse string, pieces int) (int64, error) {
	var id int64
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx,
			`UPDATE levels SET pieces = pieces - $3
			 WHERE sku = $1 AND warehouse = $2 AND pieces >= $3`, sku, warehouse, pieces)
		if err != nil {
			return err
		}
		if changed, err := done.RowsAffected(); err != nil || changed != 1 {
			return errors.Join(ErrTooFew, err)
		}
		return tx.QueryRowContext(ctx,
			"INSERT INTO reservations (sku, warehouse, pieces) VALUES ($1, $2, $3) RETURNING id",
			sku, warehouse, pieces).Scan(&id)
	})
	return id, err
}

// GiveBack ends a reservation and puts its pieces back; ErrUnknown where there is none.
func (s *Store) GiveBack(ctx context.Context, id int64) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		return giveBack(ctx, tx, id)
	})
}

func giveBack(ctx context.Context, tx *sql.Tx, id int64) error {
	var held Reservation
	err := tx.QueryRowContext(ctx,
		"DELETE FROM reservations WHERE id = $1 RETURNING sku, warehouse, pieces", id).
		Scan(&held.SKU, &held.Warehouse, &held.Pieces)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrUnknown
	}
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx,
		"UPDATE levels SET pieces = pieces + $3 WHERE sku = $1 AND warehouse = $2",
		held.SKU, held.Warehouse, held.Pieces)
	return err
}

// Package stock knows what lies where.
package stock

import (
	"errors"
	"time"
)

// ErrTooFew means that a warehouse does not have as many pieces.
var ErrTooFew = errors.New("too few pieces")

// ErrUnknown means that there is no such item or reservation.
var ErrUnknown = errors.New("unknown")

// Item is something that can be stored.
type Item struct {
	SKU      string
	Name     string
	Supplier string
}

// Level says how many pieces of an item a warehouse has.
type Level struct {
	SKU       string
	Warehouse string
	Pieces    int
}

// Reservation holds pieces for somebody.
type Reservation struct {
	ID        int64
	SKU       string
	Warehouse string
	Pieces    int
	MadeAt    time.Time
}

// Package desk keeps the board up to date and shows it.
package desk

import (
	"context"
	"fmt"
	"net/http"

	"example.org/harbor/board"
)

// Desk shows the board over HTTP, a line for each berth that is taken.
type Desk struct {
	board *board.Board
}

// New returns a desk with an empty board.
func New() *Desk {
	return &Desk{board: board.New()}
}

// Run notes reports until there are no more, or the context ends.
func (d *Desk) Run(ctx context.Context, reports <-chan board.Report) {
	for {
		select {
		case report, more := <-reports:
			if !more {
				return
			}
			d.board.Apply(report)
		case <-ctx.Done():
			return
		}
	}
}

func (d *Desk) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for _, one := range d.board.Taken() {
		fmt.Fprintf(w, "%s: %s\n", one.Berth, one.Ship)
	}
}

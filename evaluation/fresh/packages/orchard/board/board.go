// Package board is what the drivers see.
package board

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"example.org/orchard/crates"
)

// New returns the handler of the board.
func New(store *crates.Store) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /crates/{number}", func(w http.ResponseWriter, r *http.Request) {
		number, err := strconv.Atoi(r.PathValue("number"))
		if err != nil {
			http.Error(w, "a number, please", http.StatusBadRequest)
			return
		}
		one, err := store.Get(number)
		if errors.Is(err, crates.ErrUnknown) {
			http.Error(w, "no such crate", http.StatusNotFound)
			return
		}
		if err != nil {
			http.Error(w, "not now", http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, "%s, %d g, %s\n", one.Sort, one.Grams, place(one))
	})
	return mux
}

func place(one crates.Crate) string {
	if one.Row == "" {
		return "on the road"
	}
	return "row " + one.Row
}

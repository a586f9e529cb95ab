// Package web answers over HTTP.
package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"example.org/depot/internal/stock"
)

// Handler answers questions about the stock.
type Handler struct {
	store *stock.Store
}

// New returns the routes.
func New(store *stock.Store) http.Handler {
	h := &Handler{store: store}
	mux := http.NewServeMux()
	mux.HandleFunc("/levels", h.levels)
	mux.HandleFunc("/reserve", h.reserve)
	mux.HandleFunc("/give-back", h.giveBack)
	return mux
}

func (h *Handler) levels(w http.ResponseWriter, r *http.Request) {
	levels, err := h.store.Levels(r.Context(), r.URL.Query().Get("sku"))
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, levels)
}

func (h *Handler) reserve(w http.ResponseWriter, r *http.Request) {
	pieces, err := strconv.Atoi(r.FormValue("pieces"))
	if err != nil || pieces < 1 {
		http.Error(w, "pieces is a number from 1", http.StatusBadRequest)
		return
	}
	id, err := h.store.Reserve(r.Context(), r.FormValue("sku"), r.FormValue("warehouse"), pieces)
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, map[string]int64{"reservation": id})
}

func (h *Handler) giveBack(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.FormValue("reservation"), 10, 64)
	if err != nil {
		http.Error(w, "reservation is a number", http.StatusBadRequest)
		return
	}
	if err := h.store.GiveBack(r.Context(), id); err != nil {
		fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // the client has gone away: nobody is left to tell
}

func fail(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, stock.ErrUnknown):
		http.Error(w, err.Error(), http.StatusNotFound)
	case errors.Is(err, stock.ErrTooFew):
		http.Error(w, err.Error(), http.StatusConflict)
	default:
		http.Error(w, "internal error", http.StatusInternalServerError)
	}
}

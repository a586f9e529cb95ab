// Command orchard serves the board.
package main

import (
	"log"
	"net/http"
	"time"

	"example.org/orchard/board"
	"example.org/orchard/crates"
)

func main() {
	server := &http.Server{
		Addr:              ":8080",
		Handler:           board.New(crates.NewStore()),
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Fatal(server.ListenAndServe())
}

// Command depot serves the stock.
package main

import (
	"database/sql"
	"log"
	"net/http"
	"os"
	"time"

	"example.org/depot/internal/stock"
	"example.org/depot/internal/web"
)

func main() {
	db, err := sql.Open("postgres", os.Getenv("DEPOT_DATABASE"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	server := &http.Server{
		Addr:              ":8080",
		Handler:           web.New(stock.NewStore(db)),
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Print(server.ListenAndServe())
}

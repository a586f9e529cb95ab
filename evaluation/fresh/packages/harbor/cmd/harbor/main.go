// Command harbor serves the board of a harbor, kept up to date by what it reads.
package main

import (
	"bufio"
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"example.org/harbor/board"
	"example.org/harbor/desk"
)

const (
	address     = "localhost:8600"
	closingTime = 5 * time.Second
	slowest     = 10 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	reports := make(chan board.Report)
	go read(ctx, reports)
	d := desk.New()
	go d.Run(ctx, reports)
	if err := serve(ctx, d); err != nil {
		log.Fatal(err)
	}
}

// read sends what it reads and closes the channel when the input has ended.
func read(ctx context.Context, reports chan<- board.Report) {
	defer close(reports)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		berth, ship, _ := strings.Cut(lines.Text(), ";")
		select {
		case reports <- board.Report{Berth: berth, Ship: ship}:
		case <-ctx.Done():
			return
		}
	}
	if err := lines.Err(); err != nil {
		log.Printf("reports are not read any more: %v", err)
	}
}

func serve(ctx context.Context, handler http.Handler) error {
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: slowest}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.Background(), closingTime)
	defer cancel()
	if err := server.Shutdown(closing); err != nil {
		return err
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

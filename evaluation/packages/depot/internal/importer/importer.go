// Package importer takes the files of the suppliers.
package importer

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"example.org/depot/internal/metrics"
	"example.org/depot/internal/stock"
)

// Levels is where levels go.
type Levels interface {
	SetLevel(ctx context.Context, level stock.Level) error
}

// Importer reads files of rows: number of the item, warehouse, pieces.
type Importer struct {
	levels   Levels
	counters *metrics.Counters
}

// New returns an importer.
func New(levels Levels, counters *metrics.Counters) *Importer {
	return &Importer{levels: levels, counters: counters}
}

// Result says what became of a file.
type Result struct {
	Taken   int
	Refused map[int]string // by line, from 1
}

// Files imports one file after the other and returns the results by path.
func (im *Importer) Files(ctx context.Context, paths []string) (map[string]Result, error) {
	results := make(map[string]Result, len(paths))
	for _, path := range paths {
		result, err := im.file(ctx, path)
		if err != nil {
			return results, fmt.Errorf("%s: %w", path, err)
		}
		results[path] = result
	}
	return results, nil
}

func (im *Importer) file(ctx context.Context, path string) (Result, error) {
	file, err := os.Open(path)
	if err != nil {
		return Result{}, err
	}
	defer file.Close()
	return im.rows(ctx, csv.NewReader(file))
}

func (im *Importer) rows(ctx context.Context, rows *csv.Reader) (Result, error) {
	result := Result{Refused: map[int]string{}}
	for line := 1; ; line++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return result, nil
		}
		if err != nil {
			return result, err
		}
		level, err := parse(row)
		if err != nil {
			result.Refused[line] = err.Error()
			im.counters.Add("refused", 1)
			continue
		}
		if err := im.levels.SetLevel(ctx, level); err != nil {
			return result, err
		}
		result.Taken++
		im.counters.Add("taken", 1)
	}
}

func parse(row []string) (stock.Level, error) {
	if len(row) != 3 {
		return stock.Level{}, fmt.Errorf("%d fields, not 3", len(row))
	}
	pieces, err := strconv.Atoi(row[2])
	if err != nil || pieces < 0 {
		return stock.Level{}, fmt.Errorf("not a number of pieces: %q", row[2])
	}
	return stock.Level{SKU: row[0], Warehouse: row[1], Pieces: pieces}, nil
}

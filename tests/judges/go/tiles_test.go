package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// files writes a story as the files of a tiled log, by Go's own tlog.
func files(t *testing.T, s *story) map[string][]byte {
	t.Helper()
	log, err := readLog(strings.NewReader(strings.Join(s.lines, "\n") + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"checkpoint": s.checkpoint}
	for _, tile := range tlog.NewTiles(tileHeight, 0, log.size) {
		data, err := tlog.ReadTileData(tile, log)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.Replace(tile.Path(), "tile/8/", "tile/", 1)] = data
		if tile.L != 0 {
			continue
		}
		var bundle []byte
		for _, line := range s.lines[tile.N*tileWidth : tile.N*tileWidth+int64(tile.W)] {
			bundle = append(binary.BigEndian.AppendUint16(bundle, uint16(len(line))), line...)
		}
		tile.L = -1
		files[strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)] = bundle
	}
	return files
}

func verdictOnTiles(t *testing.T, files map[string][]byte, vkey string) (int, error) {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := judgeTiles(openSource(dir), vkey)
	var broken *brokenError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &broken):
		return 1, err
	}
	return 2, err
}

func TestAnHonestTiledLogIsAccepted(t *testing.T) {
	for _, size := range []int{1, 2, 255, 256, 257, 700} {
		s := honest(t, size)
		if got, err := verdictOnTiles(t, files(t, s), s.vkey); got != 0 {
			t.Errorf("size %d: exit %d: %v", size, got, err)
		}
	}
}

func TestEveryFalseTileIsRefused(t *testing.T) {
	s := honest(t, 700)
	for name, c := range map[string]struct {
		exit   int
		mutate func(map[string][]byte)
	}{
		"changed leaf hash":  {1, func(f map[string][]byte) { f["tile/0/001"][40] ^= 1 }},
		"changed upper hash": {1, func(f map[string][]byte) { f["tile/1/000.p/2"][0] ^= 1 }},
		"changed line":       {1, func(f map[string][]byte) { f["tile/entries/001"][9] ^= 1 }},
		"tile cut off":       {1, func(f map[string][]byte) { f["tile/0/000"] = f["tile/0/000"][:8191] }},
		"entries cut off":    {1, func(f map[string][]byte) { f["tile/entries/000"] = f["tile/entries/000"][:99] }},
		"tiles exchanged":    {1, func(f map[string][]byte) { f["tile/0/000"] = f["tile/0/001"] }},
		"edited size": {1, func(f map[string][]byte) {
			f["checkpoint"] = bytes.Replace(f["checkpoint"], []byte("\n700\n"), []byte("\n699\n"), 1)
		}},
		"tile missing":    {2, func(f map[string][]byte) { delete(f, "tile/0/001") }},
		"entries missing": {2, func(f map[string][]byte) { delete(f, "tile/entries/002.p/188") }},
	} {
		tiled := files(t, s)
		c.mutate(tiled)
		if got, err := verdictOnTiles(t, tiled, s.vkey); got != c.exit {
			t.Errorf("%s: exit %d, want %d: %v", name, got, c.exit, err)
		}
	}
}

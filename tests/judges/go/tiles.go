// The same judge over C2SP tlog-tiles: reads a log as its readers do, tile by tile, over HTTP or from
// a directory, and checks every hash on the way with tlog.TileHashReader.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	// fileBytesMax is a full entry bundle of the longest lines.
	fileBytesMax = tileWidth * (2 + 65535)
)

// source is where the files of a log are read from.
type source func(path string) ([]byte, error)

// openSource reads below a URL, with the key that PROBITY_KEY names, or below a directory.
func openSource(base string) source {
	if !strings.HasPrefix(base, "http://") && !strings.HasPrefix(base, "https://") {
		return func(path string) ([]byte, error) {
			file, _, _ := strings.Cut(path, "?")
			return os.ReadFile(filepath.Join(base, filepath.FromSlash(file)))
		}
	}
	client := &http.Client{Timeout: time.Minute}
	return func(path string) ([]byte, error) {
		request, err := http.NewRequest(http.MethodGet, strings.TrimSuffix(base, "/")+"/"+path, nil)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "Bearer "+os.Getenv("PROBITY_KEY"))
		answer, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s: %s", path, answer.Status)
		}
		return io.ReadAll(io.LimitReader(answer.Body, fileBytesMax+1))
	}
}

// tiles lets tlog read them. Go names the height of tiles, C2SP does not: tile/8/L/… is tile/L/….
type tiles struct {
	read source
	kept map[tlog.Tile][]byte
}

func (t *tiles) Height() int { return tileHeight }

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(wanted))
	for i, tile := range wanted {
		if kept, ok := t.kept[tile]; ok {
			data[i] = kept
			continue
		}
		file, err := t.read(strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		data[i] = file
	}
	return data, nil
}

// SaveTiles is called with tiles that were found to belong to the signed root.
func (t *tiles) SaveTiles(saved []tlog.Tile, data [][]byte) {
	for i, tile := range saved {
		t.kept[tile] = data[i]
	}
}

// judgeTiles checks a log that is read as tiles, against its signed checkpoint.
func judgeTiles(read source, vkey string) (string, error) {
	message, err := read("checkpoint")
	if err != nil {
		return "", err
	}
	text, err := openNote(message, vkey)
	if err != nil {
		return "", err
	}
	head, err := parseCheckpoint(text)
	if err != nil {
		return "", err
	}
	if head.size == 0 {
		return "", errors.New("nothing to verify: the log is empty")
	}
	tree := tlog.Tree{N: head.size, Hash: head.root}
	hashes := tlog.TileHashReader(tree, &tiles{read, map[tlog.Tile][]byte{}})
	lines, err := checkEntries(read, hashes, head)
	if err != nil {
		return "", err
	}
	included, err := checkTileInclusion(hashes, head, lines)
	if err != nil {
		return "", err
	}
	consistent, err := checkGivenConsistency(read, hashes, head)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("accepted: origin %s, size %d, root %v, every line, %d inclusion and %d consistency proofs",
		head.origin, head.size, head.root, included, consistent), nil
}

// checkEntries reads every line, in bundles, and compares it with its leaf in the tiles.
func checkEntries(read source, hashes tlog.HashReader, head checkpoint) ([]tlog.Hash, error) {
	var leaves []tlog.Hash
	for first := int64(0); first < head.size; first += tileWidth {
		width := int(min64(tileWidth, head.size-first))
		tile := tlog.Tile{H: tileHeight, L: -1, N: first / tileWidth, W: width}
		file, err := read(strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1))
		if err != nil {
			return nil, err
		}
		lines, err := splitEntries(file)
		if err != nil || len(lines) != width {
			return nil, broken("entries from %d on: want %d lines, got %d: %v", first, width, len(lines), err)
		}
		indexes := make([]int64, width)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
		}
		want, err := hashes.ReadHashes(indexes)
		if err != nil {
			return nil, unlessUnreadable(err)
		}
		for i, line := range lines {
			if tlog.RecordHash(line) != want[i] {
				return nil, broken("line %d is not its leaf", first+int64(i))
			}
		}
		leaves = append(leaves, want...)
	}
	return leaves, nil
}

// splitEntries reads a bundle: each line behind its length, two bytes, big-endian.
func splitEntries(bundle []byte) ([][]byte, error) {
	var lines [][]byte
	for len(bundle) > 0 {
		if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
			return lines, errors.New("the bundle is cut off")
		}
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		lines, bundle = append(lines, bundle[2:end]), bundle[end:]
	}
	return lines, nil
}

func checkTileInclusion(hashes tlog.HashReader, head checkpoint, leaves []tlog.Hash) (int, error) {
	positions := sample(head.size)
	for _, n := range positions {
		proof, err := tlog.ProveRecord(head.size, n, hashes)
		if err != nil {
			return 0, unlessUnreadable(err)
		}
		if err := tlog.CheckRecord(proof, head.size, head.root, n, leaves[n]); err != nil {
			return 0, broken("inclusion of record %d: %v", n, err)
		}
	}
	return len(positions), nil
}

// checkGivenConsistency asks for the log's own consistency proofs; a directory of tiles has none to give.
func checkGivenConsistency(read source, hashes tlog.HashReader, head checkpoint) (int, error) {
	proved := 0
	for old := head.size; old > 0; old = old*2/3 - 1 {
		file, err := read(fmt.Sprintf("consistency?from=%d&to=%d", old, head.size))
		if errors.Is(err, os.ErrNotExist) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		proof, err := parseHashes(string(file))
		if err != nil {
			return 0, broken("consistency with size %d: %v", old, err)
		}
		root, err := tlog.TreeHash(old, hashes)
		if err != nil {
			return 0, unlessUnreadable(err)
		}
		if err := tlog.CheckTree(proof, head.size, head.root, old, root); err != nil {
			return 0, broken("consistency with size %d: %v", old, err)
		}
		proved++
	}
	return proved, nil
}

// parseHashes reads one hash a line.
func parseHashes(text string) (tlog.TreeProof, error) {
	var proof tlog.TreeProof
	for _, line := range strings.SplitAfter(text, "\n") {
		if line == "" {
			continue
		}
		hash, err := tlog.ParseHash(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("%s is no hash", strconv.Quote(line))
		}
		proof = append(proof, hash)
	}
	return proof, nil
}

// unlessUnreadable tells what tlog finds in tiles (a false hash) from tiles that could not be read.
func unlessUnreadable(err error) error {
	if strings.Contains(err.Error(), "inconsistent tile") || strings.Contains(err.Error(), "bad math") ||
		strings.Contains(err.Error(), "bad result slice") {
		return broken("tiles: %v", err)
	}
	return err
}

func min64(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}

// A judge by other hands: checks an exported log with golang.org/x/mod/sumdb/note and sumdb/tlog, the
// libraries of the people who designed these formats. It shares no code with the rest of this
// repository and knows nothing of records: it sees a signed checkpoint and lines.
//
//	judge CHECKPOINT RECORDS VKEY      an exported log
//	judge tiles BASE VKEY              a log as C2SP tlog-tiles: a URL (key in PROBITY_KEY) or a directory
//
// Exit 0: signature, root, inclusion and consistency hold. Exit 1: something is false. Exit 2: it
// could not be judged (unreadable, empty, not signed by the given key).
//
// Build, offline, with Debian's golang-go and golang-golang-x-mod-dev:
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build -o judge main.go tiles.go
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// proofsMax bounds the records and the older sizes that are proved one by one.
const proofsMax = 512

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: judge CHECKPOINT RECORDS VKEY, or judge tiles BASE VKEY")
		os.Exit(2)
	}
	var report string
	var err error
	if os.Args[1] == "tiles" {
		report, err = judgeTiles(openSource(os.Args[2]), os.Args[3])
	} else {
		report, err = judge(os.Args[1], os.Args[2], os.Args[3])
	}
	if err == nil {
		fmt.Println(report)
		return
	}
	fmt.Fprintln(os.Stderr, "judge:", err)
	var broken *brokenError
	if errors.As(err, &broken) {
		os.Exit(1)
	}
	os.Exit(2)
}

// brokenError says that a claim of the log is false; every other error says that it could not be judged.
type brokenError struct{ what string }

func (e *brokenError) Error() string { return e.what }

func broken(format string, args ...any) error {
	return &brokenError{fmt.Sprintf(format, args...)}
}

// judge runs every check, in the order in which trust is built up.
func judge(checkpointPath, recordsPath, vkey string) (string, error) {
	message, err := os.ReadFile(checkpointPath)
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
	records, err := os.Open(recordsPath)
	if err != nil {
		return "", err
	}
	defer records.Close()
	log, err := readLog(records)
	if err != nil {
		return "", err
	}
	if log.size == 0 || head.size == 0 {
		return "", errors.New("nothing to verify: the log is empty")
	}
	if log.size != head.size {
		return "", broken("completeness: %d lines, but the checkpoint covers %d", log.size, head.size)
	}
	root, err := tlog.TreeHash(log.size, log)
	if err != nil {
		return "", err
	}
	if root != head.root {
		return "", broken("tree root: the lines hash to %v, the checkpoint says %v", root, head.root)
	}
	included, err := checkInclusion(log, root)
	if err != nil {
		return "", err
	}
	consistent, err := checkConsistency(log, root)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("accepted: origin %s, size %d, root %v, %d inclusion and %d consistency proofs",
		head.origin, head.size, head.root, included, consistent), nil
}

// openNote returns the text of a note that carries a good signature by the given key.
func openNote(message []byte, vkey string) (string, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return "", fmt.Errorf("verifier key: %w", err)
	}
	opened, err := note.Open(message, note.VerifierList(verifier))
	var invalid *note.InvalidSignatureError
	if errors.As(err, &invalid) {
		return "", broken("checkpoint signature: %v", err)
	}
	if err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	if origin, _, _ := strings.Cut(opened.Text, "\n"); origin != verifier.Name() {
		return "", broken("checkpoint: origin %q is not the key's name %q", origin, verifier.Name())
	}
	return opened.Text, nil
}

// checkpoint is the head of a log. tlog.ParseTree wants the header of Go's own log, so it is read by hand.
type checkpoint struct {
	origin string
	size   int64
	root   tlog.Hash
}

func parseCheckpoint(text string) (checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] == "" || lines[3] != "" {
		return checkpoint{}, broken("checkpoint: want origin, size and root, one a line")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return checkpoint{}, broken("checkpoint: %q is not a size", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil || root.String() != lines[2] {
		return checkpoint{}, broken("checkpoint: %q is not a root", lines[2])
	}
	return checkpoint{lines[0], size, root}, nil
}

// lineLog holds the hashes of a log in the order in which tlog stores them.
type lineLog struct {
	size   int64
	leaves []tlog.Hash
	stored []tlog.Hash
}

// ReadHashes lets tlog read what was stored.
func (l *lineLog) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(l.stored)) {
			return nil, fmt.Errorf("hash %d is not stored", index)
		}
		hashes[i] = l.stored[index]
	}
	return hashes, nil
}

// readLog hashes every line, without its line feed, as one leaf.
func readLog(r io.Reader) (*lineLog, error) {
	log := &lineLog{}
	lines := bufio.NewReaderSize(r, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			return log, nil
		}
		if err == io.EOF {
			return nil, broken("format: line %d does not end in a line feed", log.size)
		}
		if err != nil {
			return nil, err
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		hashes, err := tlog.StoredHashes(log.size, line, log)
		if err != nil {
			return nil, err
		}
		log.leaves = append(log.leaves, tlog.RecordHash(line))
		log.stored = append(log.stored, hashes...)
		log.size++
	}
}

// checkInclusion proves records one by one: all of a small log, an even sample of a large one.
func checkInclusion(log *lineLog, root tlog.Hash) (int, error) {
	proved := 0
	for _, n := range sample(log.size) {
		proof, err := tlog.ProveRecord(log.size, n, log)
		if err != nil {
			return 0, err
		}
		if err := tlog.CheckRecord(proof, log.size, root, n, log.leaves[n]); err != nil {
			return 0, broken("inclusion of record %d: %v", n, err)
		}
		proved++
	}
	return proved, nil
}

// checkConsistency proves that the log of every sampled older size is a prefix of this one.
func checkConsistency(log *lineLog, root tlog.Hash) (int, error) {
	proved := 0
	for _, n := range sample(log.size) {
		size := n + 1
		old, err := tlog.TreeHash(size, log)
		if err != nil {
			return 0, err
		}
		proof, err := tlog.ProveTree(log.size, size, log)
		if err != nil {
			return 0, err
		}
		if err := tlog.CheckTree(proof, log.size, root, size, old); err != nil {
			return 0, broken("consistency with size %d: %v", size, err)
		}
		proved++
	}
	return proved, nil
}

// sample lists the positions to prove: an even spread that holds the first and the last.
func sample(size int64) []int64 {
	var positions []int64
	for n := int64(0); n < size-1; n += size/proofsMax + 1 {
		positions = append(positions, n)
	}
	return append(positions, size-1)
}

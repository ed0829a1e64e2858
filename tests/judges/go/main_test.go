package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// story is an honest little log, and what a test does to it before it is judged.
type story struct {
	checkpoint []byte
	lines      []string
	vkey       string
}

func honest(t *testing.T, size int) *story {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, "ledger.example/acme")
	if err != nil {
		t.Fatal(err)
	}
	s := &story{vkey: vkey}
	for i := 0; i < size; i++ {
		s.lines = append(s.lines, fmt.Sprintf(`{"id":"record %d"}`, i))
	}
	s.sign(t, skey, "ledger.example/acme", int64(size))
	return s
}

// sign computes the root without the judge's reader: by the definition of RFC 6962.
func (s *story) sign(t *testing.T, skey, origin string, size int64) {
	t.Helper()
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%s\n%d\n%v\n", origin, size, rootOf(s.lines))
	if s.checkpoint, err = note.Sign(&note.Note{Text: text}, signer); err != nil {
		t.Fatal(err)
	}
}

func rootOf(lines []string) tlog.Hash {
	switch len(lines) {
	case 0:
		return tlog.Hash{}
	case 1:
		return tlog.RecordHash([]byte(lines[0]))
	}
	k := 1
	for k*2 < len(lines) {
		k *= 2
	}
	return tlog.NodeHash(rootOf(lines[:k]), rootOf(lines[k:]))
}

func (s *story) verdict(t *testing.T) (int, error) {
	t.Helper()
	dir := t.TempDir()
	records := strings.Join(s.lines, "\n")
	if len(s.lines) > 0 {
		records += "\n"
	}
	checkpointPath, recordsPath := filepath.Join(dir, "checkpoint"), filepath.Join(dir, "records.jsonl")
	for path, data := range map[string][]byte{checkpointPath: s.checkpoint, recordsPath: []byte(records)} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := judge(checkpointPath, recordsPath, s.vkey)
	var broken *brokenError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &broken):
		return 1, err
	}
	return 2, err
}

func TestAnHonestLogIsAccepted(t *testing.T) {
	for _, size := range []int{1, 2, 3, 7, 8, 9, 255, 256, 257, 1500} {
		if got, err := honest(t, size).verdict(t); got != 0 {
			t.Errorf("size %d: exit %d: %v", size, got, err)
		}
	}
}

func TestEveryMutationIsRefused(t *testing.T) {
	other := honest(t, 9)
	for name, c := range map[string]struct {
		exit   int
		mutate func(*story)
	}{
		"changed byte":              {1, func(s *story) { s.lines[4] = strings.Replace(s.lines[4], "4", "5", 1) }},
		"swapped lines":             {1, func(s *story) { s.lines[2], s.lines[3] = s.lines[3], s.lines[2] }},
		"dropped line":              {1, func(s *story) { s.lines = append(s.lines[:3], s.lines[4:]...) }},
		"duplicated line":           {1, func(s *story) { s.lines = append(s.lines, s.lines[8]) }},
		"truncated tail":            {1, func(s *story) { s.lines = s.lines[:8] }},
		"line cut in two":           {1, func(s *story) { s.lines[8] = s.lines[8][:4] + "\n" + s.lines[8][4:] }},
		"edited size":               {1, func(s *story) { s.checkpoint = bytes.Replace(s.checkpoint, []byte("\n9\n"), []byte("\n8\n"), 1) }},
		"edited signature":          {1, func(s *story) { flipBeforeEnd(s.checkpoint, 12) }},
		"checkpoint of another log": {2, func(s *story) { s.checkpoint = other.checkpoint }},
		"key of another log":        {2, func(s *story) { s.vkey = other.vkey }},
		"empty checkpoint":          {2, func(s *story) { s.checkpoint = nil }},
		"no lines":                  {2, func(s *story) { s.lines = nil }},
	} {
		s := honest(t, 9)
		c.mutate(s)
		if got, err := s.verdict(t); got != c.exit {
			t.Errorf("%s: exit %d, want %d: %v", name, got, c.exit, err)
		}
	}
}

// flipBeforeEnd changes one base64 letter of the signature into another.
func flipBeforeEnd(note []byte, back int) {
	at := &note[len(note)-back]
	if *at == 'A' {
		*at = 'B'
	} else {
		*at = 'A'
	}
}

func TestAnotherOriginUnderTheSameKeyIsRefused(t *testing.T) {
	skey, vkey, err := note.GenerateKey(rand.Reader, "ledger.example/acme")
	if err != nil {
		t.Fatal(err)
	}
	s := &story{vkey: vkey, lines: []string{"{}"}}
	s.sign(t, skey, "ledger.example/other", 1)
	if got, err := s.verdict(t); got != 1 {
		t.Errorf("exit %d: %v", got, err)
	}
}

// The golden bundle was made by the code of this repository, by other hands than these.
func TestTheGoldenBundleIsAccepted(t *testing.T) {
	const bundle = "../../../schemas/vectors/bundle/"
	vkey := "ledger.example/acme+ef1a1e39+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
	if _, err := judge(bundle+"checkpoint", bundle+"records.jsonl", vkey); err != nil {
		t.Fatal(err)
	}
}

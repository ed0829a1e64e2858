package main

import (
	"encoding/json"
	"os"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// proved is one line of schemas/vectors/trees.json: a proof that holds, or a forged one with its story.
type proved struct {
	Index, Size, Old, New uint64
	Leaf, Root            tlog.Hash
	OldRoot               tlog.Hash `json:"old_root"`
	NewRoot               tlog.Hash `json:"new_root"`
	Proof                 []tlog.Hash
	Rule, Story           string
}

// TestProofVectors puts our honest and our forged proofs before sumdb/tlog. It does not speak of the empty tree, so
// that proofs from size 0 are left out.
func TestProofVectors(t *testing.T) {
	content, err := os.ReadFile("../../../schemas/vectors/trees.json")
	if err != nil {
		t.Fatal(err)
	}
	var tables struct {
		Inclusion          []proved
		InclusionRefused   []proved `json:"inclusion_refused"`
		Consistency        []proved
		ConsistencyRefused []proved `json:"consistency_refused"`
	}
	if err := json.Unmarshal(content, &tables); err != nil {
		t.Fatal(err)
	}
	if len(tables.InclusionRefused) < 200 || len(tables.ConsistencyRefused) < 200 {
		t.Fatalf("%d and %d forged proofs", len(tables.InclusionRefused), len(tables.ConsistencyRefused))
	}
	for _, p := range tables.Inclusion {
		if err := p.inclusion(); err != nil {
			t.Errorf("leaf %d of %d: %v", p.Index, p.Size, err)
		}
	}
	for _, p := range tables.InclusionRefused {
		if p.inclusion() == nil {
			t.Errorf("leaf %d of %d: accepted: %s (%s)", p.Index, p.Size, p.Story, p.Rule)
		}
	}
	for _, p := range tables.Consistency {
		if err := p.consistency(); err != nil && p.Old > 0 {
			t.Errorf("%d to %d: %v", p.Old, p.New, err)
		}
	}
	for _, p := range tables.ConsistencyRefused {
		if p.consistency() == nil {
			t.Errorf("%d to %d: accepted: %s (%s)", p.Old, p.New, p.Story, p.Rule)
		}
	}
}

func (p *proved) inclusion() error {
	return tlog.CheckRecord(p.Proof, int64(p.Size), p.Root, int64(p.Index), p.Leaf)
}

func (p *proved) consistency() error {
	return tlog.CheckTree(p.Proof, int64(p.New), p.NewRoot, int64(p.Old), p.OldRoot)
}

// Judges what faircopy wrote with Go's own transparency log (golang.org/x/mod/sumdb), which shares no code with it:
// checkpoint, inclusion, consistency, and every tile; and that each of so many random mutations is rejected.
//
//	judge FOLDER MUTATIONS
//
// FOLDER holds vkey, old (an earlier checkpoint), proof (C2SP tlog-proof), growth (C2SP tlog-witness add-checkpoint) and log.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var verifiers note.Verifiers

func main() {
	folder := os.Args[1]
	count, err := strconv.Atoi(os.Args[2])
	must(err)
	verifier, err := note.NewVerifier(strings.TrimSpace(read(folder, "vkey")))
	must(err)
	verifiers = note.VerifierList(verifier)

	old, proof, growth := read(folder, "old"), read(folder, "proof"), read(folder, "growth")
	must(judgeProof(proof))
	must(judgeGrowth(old, growth))
	must(judgeTiles(filepath.Join(folder, "log")))

	random := rand.New(rand.NewSource(4711))
	for n := 0; n < count; n++ {
		var err error
		switch n % 3 {
		case 0:
			err = judgeProof(mutate(random, proof))
		case 1:
			err = judgeGrowth(mutate(random, old), growth)
		case 2:
			err = judgeGrowth(old, mutate(random, growth))
		}
		if err == nil {
			must(fmt.Errorf("mutation %d was accepted", n))
		}
	}
	fmt.Printf("accepted what is right, rejected %d mutations\n", count)
}

// mutate changes one byte so that what it means changes: of base 64 the last digit may have bits that mean nothing.
func mutate(random *rand.Rand, text string) string {
	for {
		bytes := []byte(text)
		bytes[random.Intn(len(bytes))] ^= 1 << random.Intn(8)
		if meaning(string(bytes)) != meaning(text) {
			return string(bytes)
		}
	}
}

func meaning(text string) string {
	var meaning strings.Builder
	for _, field := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\n' }) {
		if decoded, err := base64.StdEncoding.DecodeString(field); err == nil {
			field = string(decoded)
		}
		meaning.WriteString(field + "\x00")
	}
	return meaning.String() + strconv.Itoa(strings.Count(text, "\n"))
}

func judgeProof(text string) error {
	head, checkpoint, ok := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" ||
		!strings.HasPrefix(lines[1], "extra ") || !strings.HasPrefix(lines[2], "index ") {
		return errors.New("not a proof")
	}
	extra, err := base64.StdEncoding.Strict().DecodeString(lines[1][len("extra "):])
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(lines[2][len("index "):], 10, 64)
	if err != nil {
		return err
	}
	hashes, err := parseHashes(lines[3:])
	if err != nil {
		return err
	}
	tree, err := openTree(checkpoint)
	if err != nil {
		return err
	}
	entry, block, ok := bytes.Cut(extra, []byte("\n"))
	if !ok {
		return errors.New("no leaf")
	}
	if err := tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
		return err
	}
	var leaf struct{ Metadata string }
	if err := json.Unmarshal(entry, &leaf); err != nil {
		return err
	}
	digest := sha256.Sum256(block)
	if leaf.Metadata != "sha256:"+hex.EncodeToString(digest[:]) {
		return errors.New("the metadata is another")
	}
	return nil
}

func judgeGrowth(old, growth string) error {
	before, err := openTree(old)
	if err != nil {
		return err
	}
	head, checkpoint, ok := strings.Cut(growth, "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || lines[0] != fmt.Sprintf("old %d", before.N) {
		return errors.New("not a growth from there")
	}
	hashes, err := parseHashes(lines[1:])
	if err != nil {
		return err
	}
	after, err := openTree(checkpoint)
	if err != nil {
		return err
	}
	return tlog.CheckTree(hashes, after.N, after.Hash, before.N, before.Hash)
}

func judgeTiles(log string) error {
	tree, err := openTree(read(log, "checkpoint"))
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tree, tiles(log))
	hash, err := tlog.TreeHash(tree.N, reader)
	if err != nil {
		return err
	}
	if hash != tree.Hash {
		return errors.New("the tiles make another root")
	}
	for index := int64(0); index < tree.N; index += 7 {
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		if err != nil {
			return err
		}
		stored, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, stored[0]); err != nil {
			return err
		}
	}
	return nil
}

// tiles are files, named as C2SP does it: Go's names have the height 8 in front.
type tiles string

func (log tiles) Height() int { return 8 }

func (log tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(log), path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (log tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func openTree(text string) (tlog.Tree, error) {
	opened, err := note.Open([]byte(text), verifiers)
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 {
		return tlog.Tree{}, errors.New("not a checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	hash, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: hash}, err
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

func read(folder, name string) string {
	data, err := os.ReadFile(filepath.Join(folder, name))
	must(err)
	return string(data)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

package store

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// guard stands between Pebble and the disk, and makes the first failed write the last one.
//
// Pebble ends the process when its log or its list of tables cannot be written, panics when it
// cannot begin a new log, and tries a failed flush again at once and for ever. A broker must do
// none of these, and a failed sync must never be followed by one that succeeds: the kernel may
// have dropped the pages in between. So the guard freezes the disk at the first failure, as if
// the power had gone at that moment, and lets the process live on:
//
//	         a write fails                 Close
//	live ───────────────────► frozen ─────────────────► drained
//	 │                                                     ▲
//	 └──────── a write fails while opening or closing ─────┘
//
// Frozen, what belongs to the log and to the list of tables is absorbed: Pebble believes that it
// wrote, the commit under way comes back through the usual path, and Store.Commit answers with
// the failure because it asks the guard after Pebble. Tables are another matter, because they
// are read again: flushes and compactions wait before they write on, so that Pebble keeps in
// memory what it could not flush, and reads go on. (The list must not wait: its writer holds a
// lock that even Pebble's metrics take.) Drained, tables are absorbed too, so that Pebble's
// Close ends in order. In no state but live does anything reach the disk, therefore Open finds
// what a crash at that moment would have left: everything that was acknowledged.
//
// Two failures are Pebble's to handle and do not freeze: a file that cannot be removed, and a
// compaction that runs out of space, which is given up and tried later.
type guard struct {
	vfs.FS
	dir    string
	failed atomic.Pointer[FailedError]
	// blocks is true while the store is open for use: a frozen write waits for drain only then.
	blocks atomic.Bool
	drain  chan struct{}
	frozen chan struct{} // closed when the disk freezes
	fails  func(error)   // told once, when it does
	// logs is asked before a log is read, while opening.
	logs func(name string) error
	// lazy is true during a commit that does not sync, disclaims from the first one on: see lazy.go.
	lazy, disclaims atomic.Bool
	// manifest is how much of the list of tables is known to be on disk.
	manifest atomic.Pointer[manifestMark]
}

// manifestMark says that a list of tables was synced up to a length.
type manifestMark struct {
	num   uint64
	bytes int64
}

func newGuard(fs vfs.FS, dir string, fails func(error)) *guard {
	return &guard{FS: fs, dir: dir, drain: make(chan struct{}), frozen: make(chan struct{}), fails: fails}
}

// start ends the time of opening; from now on frozen writes wait.
func (g *guard) start() { g.blocks.Store(true) }

// end lets waiting writes go, into nothing. It is called once.
func (g *guard) end() {
	g.blocks.Store(false)
	close(g.drain)
}

func (g *guard) live() bool { return g.failed.Load() == nil }

func (g *guard) freeze(err error) {
	if g.failed.CompareAndSwap(nil, &FailedError{Err: err}) {
		close(g.frozen)
		g.fails(err)
	}
}

type fileKind uint8

const (
	kindOther      fileKind = iota // waits when frozen
	kindCompaction                 // waits when frozen
	kindLog                        // absorbed when frozen; so are directories, which a log needs synced
	kindManifest                   // absorbed when frozen
)

// kindOf tells files apart by name and by what Pebble says of them.
func kindOf(name string, category vfs.DiskWriteCategory) fileKind {
	base := path.Base(name)
	switch {
	case strings.HasSuffix(base, ".log"):
		return kindLog
	case category == "pebble-compaction", category == "pebble-blob-file-rewrite":
		return kindCompaction
	case strings.HasPrefix(base, "MANIFEST-"), strings.HasPrefix(base, "marker."):
		return kindManifest
	default:
		return kindOther
	}
}

// passes says whether a write whose error is err is Pebble's to know: it went well, or it is a
// compaction out of space. Otherwise the disk is frozen.
func (g *guard) passes(kind fileKind, op, name string, err error) bool {
	if err == nil || kind == kindCompaction && isNoSpace(err) {
		return true
	}
	g.freeze(fmt.Errorf("%s %s: %w", op, path.Base(name), err))
	return false
}

func isNoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// absorb is where a write ends that is not to reach the disk.
func (g *guard) absorb(kind fileKind) {
	if (kind == kindOther || kind == kindCompaction) && g.blocks.Load() {
		<-g.drain
	}
}

func (g *guard) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	kind := kindOf(name, category)
	g.settle(name)
	if g.live() {
		f, err := g.FS.Create(name, category)
		if g.passes(kind, "create", name, err) {
			return g.file(f, name, kind), err
		}
	}
	g.absorb(kind)
	return voidFile{name: name}, nil
}

func (g *guard) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	kind := kindOf(name, category)
	if g.live() {
		f, err := g.FS.OpenReadWrite(name, category, opts...)
		if g.passes(kind, "open", name, err) {
			return g.file(f, name, kind), err
		}
	}
	g.absorb(kind)
	return voidFile{name: name}, nil
}

func (g *guard) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	kind := kindOf(newname, category)
	if g.live() {
		f, err := g.FS.ReuseForWrite(oldname, newname, category)
		if g.passes(kind, "reuse", newname, err) {
			return g.file(f, newname, kind), err
		}
	}
	g.absorb(kind)
	return voidFile{name: newname}, nil
}

// settle syncs the directory before a marker comes or goes. A marker is an empty file whose name
// says which list of tables is the current one. Pebble makes the list, makes the new marker,
// removes the old one and syncs the directory once; were the entries to reach the disk in
// another order, a crash could leave a marker without its list, or no marker at all.
func (g *guard) settle(name string) {
	if !strings.HasPrefix(path.Base(name), "marker.") || !g.live() {
		return
	}
	g.passes(kindOther, "sync", g.dir, syncDir(g.FS, g.dir))
}

func (g *guard) Link(oldname, newname string) error {
	if g.live() {
		err := g.FS.Link(oldname, newname)
		if g.passes(kindOther, "link", newname, err) {
			return err
		}
	}
	g.absorb(kindOther)
	return nil
}

func (g *guard) Rename(oldname, newname string) error {
	if g.live() {
		err := g.FS.Rename(oldname, newname)
		if g.passes(kindOther, "rename", newname, err) {
			return err
		}
	}
	g.absorb(kindOther)
	return nil
}

// Remove of a frozen disk removes nothing: what looks obsolete to Pebble may be all there is.
func (g *guard) Remove(name string) error {
	g.settle(name)
	if g.live() {
		return g.FS.Remove(name)
	}
	return nil
}

func (g *guard) RemoveAll(name string) error {
	if g.live() {
		return g.FS.RemoveAll(name)
	}
	return nil
}

func (g *guard) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	if g.logs != nil && !g.blocks.Load() && strings.HasSuffix(name, ".log") {
		if err := g.logs(path.Base(name)); err != nil {
			return nil, err
		}
	}
	return g.FS.Open(name, opts...)
}

func (g *guard) OpenDir(name string) (vfs.File, error) {
	f, err := g.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return g.file(f, name, kindLog), nil
}

// Unwrap hides what is below: a write around the guard is a write too many.
func (g *guard) Unwrap() vfs.FS { return nil }

func (g *guard) file(f vfs.File, name string, kind fileKind) vfs.File {
	if f == nil {
		return nil
	}
	return &guardFile{File: f, g: g, name: name, kind: kind, log: strings.HasSuffix(name, ".log")}
}

// guardFile is a file that is written through the guard.
type guardFile struct {
	vfs.File
	g       *guard
	name    string
	kind    fileKind
	log     bool // a log, where a sync may be put off
	behind  atomic.Bool
	written atomic.Int64
}

func (f *guardFile) Write(p []byte) (int, error) {
	if f.g.live() {
		if f.log && f.g.disclaims.Load() {
			disclaim(p)
		}
		n, err := f.File.Write(p)
		f.written.Add(int64(n))
		if f.g.passes(f.kind, "write", f.name, err) {
			return n, err
		}
	}
	f.g.absorb(f.kind)
	return len(p), nil
}

func (f *guardFile) WriteAt(p []byte, off int64) (int, error) {
	if f.g.live() {
		n, err := f.File.WriteAt(p, off)
		if f.g.passes(f.kind, "write", f.name, err) {
			return n, err
		}
	}
	f.g.absorb(f.kind)
	return len(p), nil
}

func (f *guardFile) Sync() error { return f.sync(f.File.Sync) }

func (f *guardFile) SyncData() error { return f.sync(f.File.SyncData) }

func (f *guardFile) sync(do func() error) error {
	if f.log && f.g.lazy.Load() {
		f.behind.Store(true)
		return nil
	}
	if f.g.live() {
		f.behind.Store(false)
		// Only this file's own writer syncs it, so what is written now is what is synced.
		written := f.written.Load()
		err := do()
		if f.g.passes(f.kind, "sync", f.name, err) {
			if err == nil && f.kind == kindManifest {
				if num, ok := fileNumber(f.name); ok {
					f.g.manifest.Store(&manifestMark{num: num, bytes: written})
				}
			}
			return err
		}
	}
	f.g.absorb(f.kind)
	return nil
}

func (f *guardFile) SyncTo(length int64) (fullSync bool, err error) {
	if f.g.live() {
		full, err := f.File.SyncTo(length)
		if f.g.passes(f.kind, "sync", f.name, err) {
			return full, err
		}
	}
	f.g.absorb(f.kind)
	return false, nil
}

// Close gives the descriptor back whatever the state.
func (f *guardFile) Close() error {
	if f.behind.Load() && f.g.live() {
		f.g.passes(f.kind, "sync", f.name, f.File.SyncData())
	}
	err := f.File.Close()
	if f.g.live() && f.g.passes(f.kind, "close", f.name, err) {
		return err
	}
	return nil
}

// voidFile is a file that was made after the disk froze.
type voidFile struct{ name string }

var errVoid = errors.New("store: the disk is frozen")

func (voidFile) Close() error                           { return nil }
func (voidFile) Read([]byte) (int, error)               { return 0, errVoid }
func (voidFile) ReadAt([]byte, int64) (int, error)      { return 0, errVoid }
func (voidFile) Write(p []byte) (int, error)            { return len(p), nil }
func (voidFile) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (voidFile) Preallocate(int64, int64) error         { return nil }
func (voidFile) Sync() error                            { return nil }
func (voidFile) SyncTo(int64) (bool, error)             { return false, nil }
func (voidFile) SyncData() error                        { return nil }
func (voidFile) Prefetch(int64, int64) error            { return nil }
func (voidFile) Fd() uintptr                            { return vfs.InvalidFd }
func (f voidFile) Stat() (vfs.FileInfo, error)          { return voidInfo(f), nil }

type voidInfo struct{ name string }

func (i voidInfo) Name() string         { return path.Base(i.name) }
func (voidInfo) Size() int64            { return 0 }
func (voidInfo) Mode() os.FileMode      { return 0 }
func (voidInfo) ModTime() time.Time     { return time.Time{} }
func (voidInfo) IsDir() bool            { return false }
func (voidInfo) Sys() any               { return nil }
func (voidInfo) DeviceID() vfs.DeviceID { return vfs.DeviceID{} }

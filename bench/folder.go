package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const gigabyte = 1 << 30

// ownFolder makes a folder for all that this run writes, the database included. Those of runs that were killed, whose locks nobody holds, go.
func ownFolder() (dir string, err error) {
	const ours = "exeunt-bench-"
	left, err := filepath.Glob(filepath.Join(os.TempDir(), ours+"*"))
	if err != nil {
		return "", err
	}
	for _, old := range left {
		lock, err := os.OpenFile(filepath.Join(old, "lock"), os.O_RDWR, 0)
		if err != nil {
			continue // another program's
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			os.RemoveAll(old)
		}
		lock.Close()
	}
	if dir, err = os.MkdirTemp("", "."+ours); err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o711); err != nil { // Postgres runs as somebody else
		return dir, err
	}
	lock, err := os.Create(filepath.Join(dir, "lock"))
	if err != nil {
		return dir, err
	}
	held, err := syscall.Dup(int(lock.Fd())) // for as long as this process runs
	if err != nil {
		return dir, err
	}
	syscall.CloseOnExec(held)
	lock.Close()
	if err := syscall.Flock(held, syscall.LOCK_EX); err != nil {
		return dir, err
	}
	whole := filepath.Join(filepath.Dir(dir), strings.TrimPrefix(filepath.Base(dir), "."))
	if err := os.Rename(dir, whole); err != nil {
		return dir, err
	}
	return whole, os.Setenv("TMPDIR", whole)
}

// free is what the disk has left.
func free(dir string) (int64, error) {
	var s syscall.Statfs_t
	err := syscall.Statfs(dir, &s)
	return int64(s.Bavail) * s.Bsize, err
}

// room says whether a database of so many sessions fits, with some of the disk left.
func (b *bench) room(sessions int, left int64) error {
	const each = 1800 // bytes of a session with one app, indexes included
	have, err := free(b.dir)
	if err != nil {
		return err
	}
	if need := int64(sessions) * each; have-need < left {
		return fmt.Errorf("%d sessions take %d GB in %s, where %d GB are free, of which %d GB are to be left (-left): make room, or set TMPDIR to a larger disk",
			sessions, need/gigabyte, filepath.Dir(b.dir), have/gigabyte, left/gigabyte)
	}
	return nil
}

// watch ends this process, and removes what it wrote, when it is told to or when the disk has no more than so much left.
func (b *bench) watch(left int64) {
	told := make(chan os.Signal, 1)
	signal.Notify(told, os.Interrupt, syscall.SIGTERM)
	tick := time.NewTicker(time.Second)
	for {
		select {
		case <-told:
		case <-tick.C:
			if have, err := free(b.dir); err != nil || have > left {
				continue
			}
			fmt.Fprintf(os.Stderr, "bench: less than %d GB of the disk are free: stopped\n", left/gigabyte)
		}
		b.close()
		os.Exit(1)
	}
}

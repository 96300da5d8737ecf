package native

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Keep is where one app's secret stays between runs. Its String says where, for people.
type Keep interface {
	Load() ([]byte, error) // nil: there is nothing
	Save(secret []byte) error
	Drop() error
	Lock() (unlock func(), err error) // against other processes of the app
	fmt.Stringer
}

// Best finds the best place that this computer has.
func Best(issuer, clientID string) (Keep, error) {
	config, err := os.UserConfigDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(config, "exeunt-native")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(issuer + " " + clientID))
	f := file{dir, hex.EncodeToString(sum[:8])}
	for _, ring := range []keyring{
		{file: f, name: "the keyring of this desktop (secret-tool)", on: "linux", program: "secret-tool", none: 1,
			load: []string{"lookup", "service", "exeunt-native", "account", f.name}, drop: []string{"clear", "service", "exeunt-native", "account", f.name},
			save: []string{"store", "--label=exeunt-native", "service", "exeunt-native", "account", f.name}, typed: "%s"},
		{file: f, name: "the keychain of this Mac (security)", on: "darwin", program: "security", none: 44,
			load: []string{"find-generic-password", "-s", "exeunt-native", "-a", f.name, "-w"}, drop: []string{"delete-generic-password", "-s", "exeunt-native", "-a", f.name},
			save: []string{"-i"}, typed: "add-generic-password -U -s exeunt-native -a " + f.name + " -w %s\n"},
	} {
		if ring.on == runtime.GOOS && ring.works() {
			return &ring, nil
		}
	}
	return &f, nil
}

// keyring is the system's own, by its command. The secret goes by standard input: arguments can be seen by everybody on the computer.
type keyring struct {
	file              // for the lock
	name, on, program string
	load, save, drop  []string
	none              int    // exit code for "there is nothing"
	typed             string // what is written to the save command
}

func (k *keyring) String() string { return k.name }

func (k *keyring) works() bool {
	_, err := k.Load()
	return err == nil
}

// run gives a keyring that asks the person to open it the time for that.
func (k *keyring) run(input string, args []string) ([]byte, error) {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	c := exec.CommandContext(ctx, k.program, args...)
	c.Stdin = strings.NewReader(input)
	out, err := c.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if exit.ExitCode() == k.none && (k.none != 1 || len(exit.Stderr) == 0) { // secret-tool says 1 for everything, and nothing if there is nothing
			return nil, nil
		}
		err = fmt.Errorf("%s: %s", k.program, strings.TrimSpace(string(exit.Stderr)))
	}
	return out, err
}

func (k *keyring) Load() ([]byte, error) {
	out, err := k.run("", k.load)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(strings.TrimSpace(string(out)))
}

func (k *keyring) Save(secret []byte) error {
	_, err := k.run(fmt.Sprintf(k.typed, base64.StdEncoding.EncodeToString(secret)), k.save)
	return err
}

func (k *keyring) Drop() error {
	_, err := k.run("", k.drop)
	return err
}

// file is a file of the user's own, in a folder of the user's own. Backups and other programs of this user can read it.
type file struct{ dir, name string }

func (f *file) path() string { return filepath.Join(f.dir, f.name) }

func (f *file) String() string {
	if runtime.GOOS == "windows" {
		return "the file " + f.path() + " (no keyring command here; other programs of yours can read it)"
	}
	return "the file " + f.path() + " (no keyring here; mode 0600: other programs of yours can read it)"
}

func (f *file) Load() ([]byte, error) {
	raw, err := os.ReadFile(f.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return raw, err
}

// Save replaces the file as a whole: after a crash there is the old one or the new one.
func (f *file) Save(secret []byte) error {
	t, err := os.CreateTemp(f.dir, f.name+".new") // mode 0600
	if err != nil {
		return err
	}
	_, err = t.Write(secret)
	err = errors.Join(err, t.Sync(), t.Close())
	if err == nil {
		err = os.Rename(t.Name(), f.path())
	}
	if err != nil {
		os.Remove(t.Name())
	}
	return err
}

func (f *file) Drop() error {
	if err := os.Remove(f.path()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

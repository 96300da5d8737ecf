package demo

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// folderName of a temporary folder has the port of the run that uses it.
var folderName = regexp.MustCompile(`^exeunt-demo-([0-9]{1,5})-[0-9]+$`)

// newFolder makes the temporary folder of a run that listens, and removes those of runs that were killed before they could.
func newFolder(l net.Listener) (string, error) {
	temp := os.TempDir()
	entries, _ := os.ReadDir(temp)
	for _, e := range entries {
		if m := folderName.FindStringSubmatch(e.Name()); m != nil && nobodyAt("127.0.0.1:"+m[1]) {
			os.RemoveAll(filepath.Join(temp, e.Name())) // another user's cannot be removed, and need not
		}
	}
	return os.MkdirTemp(temp, "exeunt-demo-"+portOf(l)+"-")
}

// nobodyAt says that an address is refused by this machine. A run listens before it makes its folder.
func nobodyAt(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err == nil {
		c.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

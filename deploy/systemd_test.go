package deploy

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// booted is a systemd in namespaces of its own, on a copy of this machine's files that is thrown away. It starts nothing but one unit, which runs
// a script and then ends it all: no device, setting or network of this machine is within its reach.
const booted = `set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc && mount --bind proc/sys proc/sys && mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys && mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run && mount -t tmpfs -o mode=1777 tmpfs tmp && mount -t tmpfs -o mode=755 tmpfs dev
for d in null zero full random urandom tty; do : >dev/$d; mount --bind /dev/$d dev/$d; done
ln -s /proc/self/fd dev/fd && ln -s fd/0 dev/stdin && ln -s pts/ptmx dev/ptmx
rm -rf etc/systemd/system/*.wants lib/systemd/system/*.wants etc/exeunt var/lib/exeunt usr/local/bin/exeunt
mkdir -p source && mount --bind "$2" source
cat >etc/systemd/system/told.service <<'E'
[Unit]
DefaultDependencies=no
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
WorkingDirectory=/source
StandardOutput=append:/source/out
StandardError=append:/source/out
ExecStart=/bin/bash -ex /source/told.sh
E
mkdir -p before && pivot_root . before && umount -l /before
exec env container=test /lib/systemd/systemd --system --unit=told.service --log-target=null --show-status=0
`

// What the comment in the unit and docs/operations.md tell an operator to type works as it stands there, under systemd itself: the service starts, nobody
// else reads its secrets, and what commands make as they are told can be opened by the service; root's cannot come about.
func TestUnitAsTold(t *testing.T) {
	if testing.Short() || os.Geteuid() != 0 {
		t.Skip("needs root, to start a systemd")
	}
	for _, program := range []string{"/lib/systemd/systemd", "/usr/bin/unshare", "/usr/sbin/runuser", "/bin/bash"} {
		if _, err := os.Stat(program); err != nil {
			t.Skip(err)
		}
	}
	unit, err := os.ReadFile("exeunt.service")
	if err != nil {
		t.Fatal(err)
	}
	var install []string
	for _, m := range regexp.MustCompile(`(?m)^#   (.*)$`).FindAllSubmatch(unit, -1) {
		install = append(install, string(m[1]))
	}
	docs, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)\n## As a service\n.*?\n```sh\n(.*?)```").FindSubmatch(docs)
	if len(install) < 6 || block == nil {
		t.Fatal("the commands are not where they were")
	}
	script := `
trap 'systemctl status exeunt; cat /var/lib/exeunt/log' ERR
until systemctl list-units >/dev/null; do sleep 0.05; done
mkdir -p /etc/systemd/system/exeunt.service.d # there is no journal here
printf '[Service]\nStandardError=append:/var/lib/exeunt/log\n' >/etc/systemd/system/exeunt.service.d/log.conf
asked() {
	exec 3<>/dev/tcp/localhost/8080 && printf 'GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3 && grep -q '"ready"' <&3
}
ready() {
	{ set +x; } 2>/dev/null
	for i in $(seq 1200); do
		if asked 2>/dev/null; then set -x; return 0; fi
		sleep 0.05
	done
	set -x
	return 1
}
` + strings.Join(install, "\n") + `
ready
test "$(stat -c %U /proc/$(systemctl show -P MainPID exeunt))" = exeunt
echo 'a very long password' | runuser -u exeunt -- exeunt --config /etc/exeunt/exeunt.yaml account add alice
for secret in /etc/exeunt/exeunt.yaml /var/lib/exeunt/exeunt.key /var/lib/exeunt/exeunt.db; do
	if runuser -u nobody -- cat $secret; then exit 1; fi
done
` + string(block[1]) + `
ready
runuser -u exeunt -- exeunt --config /etc/exeunt/exeunt.yaml account show alice
# a secret in a file of its own
echo hunter2hunter2 >secret && install -m 640 -g exeunt secret /etc/exeunt/mail-password
printf 'mail:\n  smtp: localhost:25\n  tls: none\n  username: exeunt\n  password_file: mail-password\n  from: exeunt@example.com\n' >>/etc/exeunt/exeunt.yaml
systemctl restart exeunt && ready
# root by itself
exeunt --config /etc/exeunt/exeunt.yaml account end alice
systemctl stop exeunt
exeunt --config /etc/exeunt/exeunt.yaml account end alice
test -z "$(find /var/lib/exeunt ! -user exeunt ! -name log)"
mv /var/lib/exeunt/exeunt.db /var/lib/exeunt/exeunt.db.2
cp /var/backups/exeunt/today.db /root/today.db
if exeunt --config /etc/exeunt/exeunt.yaml backup restore /root/today.db; then exit 1; fi
test ! -e /var/lib/exeunt/exeunt.db
mv /var/lib/exeunt/exeunt.db.2 /var/lib/exeunt/exeunt.db
systemctl start exeunt && ready
echo all of it
`
	source, at := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"told.sh": script, "boot.sh": booted} {
		if err := os.WriteFile(filepath.Join(source, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("go", "build", "-o", filepath.Join(source, "exeunt"), "exeunt.dev/cmd/exeunt").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.CopyFS(filepath.Join(source, "deploy"), os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	boot := exec.CommandContext(ctx, "/usr/bin/unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--cgroup", "--net", "/bin/bash", filepath.Join(source, "boot.sh"), at, source)
	boot.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said, err := boot.CombinedOutput() // a systemd that powers off ends by a signal
	out, _ := os.ReadFile(filepath.Join(source, "out"))
	if len(out) == 0 && ctx.Err() == nil {
		t.Skipf("no systemd can be started here: %v: %s", err, said)
	}
	if !bytes.Contains(out, []byte("\nall of it\n")) {
		t.Errorf("%v: %s %s", err, out, said)
	}
	if !bytes.Contains(out, []byte("run it as that user: runuser -u exeunt -- exeunt --config /etc/exeunt/exeunt.yaml")) {
		t.Errorf("root is not told what to do: %s", out)
	}
}

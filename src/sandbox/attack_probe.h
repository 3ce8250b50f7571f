// The attacks that tests run from inside a sandbox. One Python function; the event names the
// attack. Each says what it got, so that a test can tell a fence that held from an attack that did
// not work for another reason.
#pragma once

namespace virga::sandbox {

inline constexpr const char* kAttackProbe = R"PY(
import ctypes, errno, os, resource, signal, socket, subprocess, sys, time

libc = ctypes.CDLL(None, use_errno=True)

def syscall(number, *args):
    """0 when it went through, else the errno's name."""
    ctypes.set_errno(0)
    got = libc.syscall(ctypes.c_long(number), *[ctypes.c_void_p(a) if isinstance(a, int) else a for a in args])
    return 'done' if got >= 0 else errno.errorcode.get(ctypes.get_errno(), '?')

def attempt(action):
    try:
        value = action()
        return 'done' if value is None else value
    except OSError as e:
        return errno.errorcode.get(e.errno, '?')

def read(path, size=64):
    with open(path, 'rb') as f:
        return 'read %d' % len(f.read(size))

def host_files(event):
    out = {}
    marker = event['marker']
    for path in (marker, '/proc/1/root' + marker, '/proc/self/root/../..' + marker, '/host' + marker, '/var/task/link',
                 '/proc/self/cwd/../../..' + marker):
        out[path.replace(marker, 'MARKER')] = attempt(lambda: read(path))
    for path in ('/etc/shadow', '/root', '/home', '/proc/1/environ', '/proc/1/mem', '/proc/1/maps', '/proc/kcore',
                 '/proc/kmsg', '/dev/mem', '/dev/kmsg', '/sys/kernel', '/run', '/boot'):
        out[path] = attempt(lambda: os.listdir(path) and 'listed' if os.path.isdir(path) else read(path))
    return out

def root_listing(event):
    return sorted(os.listdir('/'))

def processes(event):
    pids = [int(p) for p in os.listdir('/proc') if p.isdigit()]
    return {'count': len(pids), 'kill_init': attempt(lambda: os.kill(1, signal.SIGKILL)),
            'init_lives': os.path.exists('/proc/1'), 'parent': os.getppid()}

def network(event):
    def tcp():
        with socket.create_connection(('127.0.0.1', event['port']), 2) as s:
            return 'connected'
    def unix():
        s = socket.socket(socket.AF_UNIX)
        s.connect('\0' + event['unix'])
        return 'connected'
    def outside():
        with socket.create_connection(('192.0.2.1', 80), 2) as s:
            return 'connected'
    names = sorted(name for _, name in socket.if_nameindex())
    return {'tcp': attempt(tcp), 'unix': attempt(unix), 'outside': attempt(outside), 'interfaces': names}

def sockets(event):
    kinds = {'raw': (socket.AF_INET, socket.SOCK_RAW, 1), 'raw6': (socket.AF_INET6, socket.SOCK_RAW, 58), 'packet': (17, 3, 768),
             'vsock': (40, 1, 0), 'alg': (38, 5, 0), 'bluetooth': (31, 3, 1), 'audit': (16, 3, 9), 'netfilter': (16, 3, 12)}
    out = {}
    for name, (family, kind, protocol) in kinds.items():
        def make():
            libc_got = libc.socket(family, kind, protocol)
            if libc_got < 0:
                raise OSError(ctypes.get_errno(), 'socket')
            os.close(libc_got)
        ctypes.set_errno(0)
        out[name] = attempt(make)
    return out

def calls(event):
    newuser, newns, newpid = 0x10000000, 0x20000, 0x20000000
    buffer = ctypes.create_string_buffer(256)
    here = ctypes.addressof(buffer)
    path = ctypes.c_char_p(b'/tmp')
    return {
        'mount': syscall(165, ctypes.c_char_p(b'none'), path, ctypes.c_char_p(b'tmpfs'), 0, 0),
        'umount': syscall(166, ctypes.c_char_p(b'/var/task'), 2),
        'fsopen': syscall(430, ctypes.c_char_p(b'tmpfs'), 0),
        'open_tree': syscall(428, -100, path, 1),
        'move_mount': syscall(429, -1, path, -1, path, 0),
        'mount_setattr': syscall(442, -100, path, 0, here, 32),
        'pivot_root': syscall(155, path, path),
        'chroot': syscall(161, path),
        'unshare_user': syscall(272, newuser),
        'unshare_mnt': syscall(272, newns),
        'setns': syscall(308, 0, newuser),
        'clone_user': syscall(56, newuser | 17, 0, 0, 0, 0),
        'clone3': syscall(435, here, 88),
        'ptrace_traceme': syscall(101, 0, 0, 0, 0),
        'ptrace_init': syscall(101, 16, 1, 0, 0),
        'process_vm_readv': syscall(310, 1, here, 1, here, 1, 0),
        'pidfd_getfd': syscall(438, 0, 0, 0),
        'bpf': syscall(321, 0, here, 64),
        'perf': syscall(298, here, 0, -1, -1, 0),
        'keyctl': syscall(250, 0, 0, 0, 0, 0),
        'add_key': syscall(248, path, path, here, 4, -2),
        'io_uring': syscall(425, 8, here),
        'userfaultfd': syscall(323, 0),
        'kexec': syscall(246, 0, 0, here, 0),
        'init_module': syscall(175, here, 1, path),
        'reboot': syscall(169, 0xfee1dead, 672274793, 0, 0),
        'settime': syscall(227, 0, here),
        'sethostname': syscall(170, path, 4),
        'swapon': syscall(167, path, 0),
        'quotactl': syscall(179, 0, path, 0, here),
        'open_by_handle': syscall(304, -100, here, 0),
        'fanotify': syscall(300, 0, 0),
        'iopl': syscall(172, 3),
        'personality': syscall(135, 0x0040000),
        'x32_getpid': syscall(0x40000000 + 39),
        'mknod_device': syscall(133, ctypes.c_char_p(b'/tmp/disk'), 0o60666, 0x800),
        'setuid_root': syscall(105, 0),
        'shmget': syscall(29, 1234, 4096, 0o1666),
    }

def writes(event):
    out = {}
    for folder in ('/', '/etc', '/usr/bin', '/var/task', '/var/runtime', '/opt', '/dev', '/proc/sys/kernel'):
        out[folder] = attempt(lambda: open(folder + '/virga', 'w').close())
    for path in ('/proc/sysrq-trigger', '/proc/sys/kernel/core_pattern', '/proc/sys/vm/drop_caches', '/proc/sys/net/ipv4/ip_forward',
                 '/proc/1/oom_score_adj', '/proc/1/mem', '/etc/hosts', '/etc/passwd'):
        def write():
            with open(path, 'r+b', buffering=0) as f:
                f.write(b'0')
        out[path] = attempt(write)
    return out

def fill_tmp(event):
    block = b'x' * (1 << 20)
    written = 0
    try:
        with open('/tmp/fill', 'wb', buffering=0) as f:
            while written < 4096:
                f.write(block)
                written += 1
    except OSError as e:
        return {'mb': written, 'error': errno.errorcode.get(e.errno)}
    return {'mb': written, 'error': None}

def fork_bomb(event):
    made = 0
    error = None
    while made < 5000:
        try:
            if os.fork() == 0:
                time.sleep(1000)
                os._exit(0)
            made += 1
        except OSError as e:
            error = errno.errorcode.get(e.errno)
            break
    return {'made': made, 'error': error}

def rights(event):
    status = dict(line.rstrip('\n').split(':\t', 1) for line in open('/proc/self/status') if ':\t' in line)
    fds = []
    for name in os.listdir('/proc/self/fd'):
        try:
            fds.append(os.readlink('/proc/self/fd/' + name).split(':')[0])
        except OSError:
            pass
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
        raised = True
    except ValueError:
        raised = False
    return {'uid': status['Uid'], 'caps': [status[k] for k in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb')],
            'nnp': status['NoNewPrivs'], 'seccomp': status['Seccomp'], 'groups': status['Groups'].strip(), 'fds': sorted(fds),
            'raise_limit': raised}

def setuid_programs(event):
    got = []
    for name in ('su', 'mount', 'passwd', 'newgrp', 'chsh'):
        path = '/usr/bin/' + name
        if os.path.exists(path) and os.stat(path).st_mode & 0o4000:
            child = subprocess.Popen([path, '--help'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            with open('/proc/%d/status' % child.pid) as f:
                got.append([line.split()[2] for line in f if line.startswith('Uid')][0])
            child.wait()
    return sorted(set(got))

def flood_api(event):
    held = []
    for _ in range(300):
        try:
            held.append(socket.create_connection(('127.0.0.1', 9001), 0.2))
        except OSError:
            break
    for s in held:
        try:
            s.sendall(b'GET / HTTP/1.1\r\nX: ' + b'y' * 1000)
        except OSError:
            pass
    return len(held) > 10

def flood_logs(event):
    line = 'z' * 1000 + '\n'
    for _ in range(5000):
        sys.stdout.write(line)
    os.write(3, b'not a frame' * 100)
    return 'flooded'

def abuse_descriptors(event):
    for fd in (0, 1, 2, 3):
        os.close(fd)
    return 'closed'

def handler(event, context):
    return globals()[event['attack']](event)
)PY";

}  // namespace virga::sandbox

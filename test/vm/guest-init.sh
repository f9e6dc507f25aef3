#!/bin/busybox sh
# The first process of a guest. The root is the host's own, read-only over 9p, with a layer in memory above it: nothing that a
# guest writes reaches the host, but for the directory pc.home. Or it is a disk (pc.disk) with a whole system, whose own init goes on.
# Then the agent is started and speaks to the host.
# No driver of a network card is loaded here: that is what the tests are about.
B=/bin/busybox
export PATH=/bin
$B mount -t proc proc /proc
$B mount -t sysfs sysfs /sys
$B mount -t devtmpfs dev /dev
for word in $($B cat /proc/cmdline); do
  case $word in
    pc.agent=*) agent=${word#pc.agent=} ;;
    pc.home=*) home=${word#pc.home=} ;;
    pc.node=*) node=${word#pc.node=} ;;
    pc.disk=*) disk=${word#pc.disk=} ;;
  esac
done
$B modprobe -a virtio_pci virtio_console 9pnet_virtio 9p
over9p=trans=virtio,version=9p2000.L,msize=262144
version=$($B uname -r)

if [ -n "$disk" ]; then
  $B modprobe -a virtio_blk crc32c_generic ext4
  $B mount -t ext4 "$disk" /root
  $B mkdir -p /root/pc
else
  $B modprobe overlay
  $B mount -t 9p -o ro,cache=loose,$over9p host /lower
  $B mount -t tmpfs upper /upper
  $B mkdir /upper/files /upper/work
  $B mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work root /root
fi
$B mkdir -p /root/lib/modules
$B cp -a /lib/modules/"$version" /root/lib/modules/
$B mount -t 9p -o cache=none,$over9p home "/root$home"
$B mount -t tmpfs -o mode=755 tmpfs /root/run
for at in proc sys dev; do $B mount --move /$at /root/$at; done

if [ -n "$disk" ]; then
  # The agent is a unit like another, in the directory that is gone with the next boot.
  $B mkdir -p /root/run/systemd/system/basic.target.wants
  $B cat > /root/run/systemd/system/agent.service <<UNIT
[Unit]
DefaultDependencies=no
[Service]
ExecStart=/bin/sh -c 'exec $node $agent \$\$(echo /dev/vport*p1)'
UNIT
  $B ln -s ../agent.service /root/run/systemd/system/basic.target.wants/agent.service
  exec $B switch_root /root /lib/systemd/systemd
fi

$B mount -t tmpfs tmpfs /root/var/tmp
$B mkdir -p /root/dev/pts /root/dev/shm
$B mount -t devpts devpts /root/dev/pts
$B ln -sf /proc/self/fd /root/dev/fd
$B cat > /root/run/guest-start <<SCRIPT
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
ip link set lo up
$node $agent \$(echo /dev/vport*p1) < /dev/null
echo "guest: the agent has ended"
while :; do sleep 1000; done
SCRIPT
exec $B switch_root /root /bin/sh /run/guest-start

#!/usr/bin/env bash
# A SLURM of one node on this machine, for tests: cluster.sh start FOLDER [CPUS] | stop FOLDER
#
# Real munged, slurmctld and slurmd on loopback, as root, with keys, sockets, state and logs below FOLDER and ports of
# their own. Debian: apt-get install -y --no-install-recommends slurmctld slurmd slurm-client munge
# CPUS may exceed what the machine has: jobs then share its cores, and many run at a time.
set -euo pipefail

usage() { sed -n '2,6p' "${BASH_SOURCE[0]}" >&2; exit 2; }
[[ $# -ge 2 ]] || usage
action=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
conf=/etc/slurm/slurm.conf # jobs lose their SLURM_ variables, so that only the default place is found by all

ended() { # pid: within ten seconds, or else by force
    for _ in $(seq 100); do kill -0 "$1" 2>/dev/null || return 0; sleep 0.1; done
    kill -9 "$1" 2>/dev/null || true
}

stop() {
    for name in slurmd slurmctld munged; do
        [[ -s $folder/$name.pid ]] || continue
        pid=$(<"$folder/$name.pid")
        kill "$pid" 2>/dev/null && ended "$pid"
        rm -f "$folder/$name.pid"
    done
    if [[ -L $conf && $(readlink "$conf") == "$folder/slurm.conf" ]]; then rm "$conf"; fi
}

configuration() { # CPUS
    local node memory
    node=$(hostname -s)
    memory=$(awk '/^MemTotal/ {print int($2 / 1024)}' /proc/meminfo)
    cat <<CONF
ClusterName=onenode
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
# No control groups: none are needed for tests, and containers seldom give the right to make them.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=600
KillWait=2
OverTimeLimit=0
SlurmctldTimeout=60
SlurmdTimeout=60
DefMemPerCPU=200
NodeName=$node NodeAddr=127.0.0.1 CPUs=$1 RealMemory=$memory State=UNKNOWN
PartitionName=main Nodes=$node Default=YES DefaultTime=10 MaxTime=UNLIMITED State=UP
CONF
}

start() { # CPUS
    for tool in munged slurmctld slurmd sbatch; do
        command -v "$tool" >/dev/null || PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null ||
            { echo "$tool is missing: see the head of ${BASH_SOURCE[0]}" >&2; exit 3; }
    done
    export PATH=$PATH:/usr/sbin
    [[ ! -e $conf ]] || { echo "$conf is there already: this machine belongs to a cluster" >&2; exit 3; }
    mkdir -p "$folder/state" "$folder/spool" /etc/slurm
    chmod 755 "$folder"
    head -c 1024 /dev/urandom >"$folder/munge.key"
    chmod 400 "$folder/munge.key"
    munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
        --log-file="$folder/munged.log" --seed-file="$folder/munge.seed"
    configuration "$1" >"$folder/slurm.conf"
    ln -s "$folder/slurm.conf" "$conf"
    slurmctld -c
    slurmd
    for _ in $(seq 150); do
        [[ $(sinfo --noheader --format=%T 2>/dev/null) == idle ]] && return 0
        sleep 0.2
    done
    tail -n 5 "$folder"/*.log >&2
    stop
    exit 4
}

case $action in
    start) start "${3:-$(nproc)}" ;;
    stop) stop ;;
    *) usage ;;
esac

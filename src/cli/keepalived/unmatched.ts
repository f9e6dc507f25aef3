/**
 * The keywords of keepalived that have no counterpart here, and what takes their place. The table is what
 * `import keepalived` says of them; what is in no row is told as unknown.
 */

export interface Counterpart {
  readonly what: string;
  readonly instead: string;
}

const SIGNED: Counterpart = {
  what: 'is not carried over: every message is signed with its host’s own key',
  instead: 'portcullis key generate on each host, and the public halves into the roster',
};
const ANNOUNCED: Counterpart = {
  what: 'has no counterpart: a takeover is announced at once, after 30, 120, 500 and 2000 ms, and then each 30 s',
  instead: '',
};
const PROTOCOL: Counterpart = {
  what: 'is of VRRP’s protocol, which is not spoken here (spec/protocol.md)',
  instead: '',
};
const VIRTUAL_MAC: Counterpart = {
  what: 'has no counterpart: roving addresses have the card’s own hardware address, and neighbours are told',
  instead: 'where a neighbour has the virtual one by hand, change it there',
};
const MAIL: Counterpart = {
  what: 'has no counterpart: no mail is sent',
  instead: 'watch the alarms: portcullis status --json, or audit export --format journal',
};
const LVS: Counterpart = {
  what: 'is left out: no load is balanced here',
  instead: 'leave it to keepalived (without vrrp_instance) or to another balancer on the same hosts',
};
const TRACKED: Counterpart = {
  what: 'has no counterpart of its own',
  instead: 'write a program that ends with 0 only when all is well, as procedure checkServiceLocal',
};
const STATIC: Counterpart = {
  what: 'is not carried over: what does not move belongs to the host',
  instead: 'write it into the host’s network configuration; but not for the uplink, which is down at rest',
};
const PROCESS: Counterpart = {
  what: 'is about keepalived’s own processes',
  instead: 'what systemd needs to know is in portcullis.service and portcullis-actuator.service',
};
const HOOK: Counterpart = {
  what: 'has no counterpart: a procedure replaces what is built in, and is not called beside it',
  instead:
    'to be told, follow `portcullis audit export --follow --format journal`; to do more than is built in, write a program for activateService or deactivateService (spec/procedures.md)',
};
const RULES: Counterpart = {
  what: 'has no counterpart in the built-in procedures',
  instead: 'write them into the host’s network configuration, or a program for activateService',
};
const UNSPOKEN: Counterpart = {
  what: 'has no counterpart',
  instead: '',
};

const BY_KEYWORD: { readonly [keyword: string]: Counterpart } = {
  authentication: SIGNED,
  auth_hmac: SIGNED,
  use_vmac: VIRTUAL_MAC,
  use_vmac_addr: VIRTUAL_MAC,
  use_ipvlan: VIRTUAL_MAC,
  vmac_xmit_base: VIRTUAL_MAC,
  garp_group: ANNOUNCED,
  version: PROTOCOL,
  native_ipv6: PROTOCOL,
  mcast_src_ip: PROTOCOL,
  mcast_dst_ip: PROTOCOL,
  unicast_ttl: PROTOCOL,
  check_unicast_src: PROTOCOL,
  unicast_fault_no_peer: PROTOCOL,
  old_unicast_checksum: PROTOCOL,
  v3_checksum_as_v2: PROTOCOL,
  skip_check_adv_addr: PROTOCOL,
  strict_mode: PROTOCOL,
  lower_prio_no_advert: PROTOCOL,
  higher_prio_send_advert: PROTOCOL,
  owner_ignore_adverts: PROTOCOL,
  down_timer_adverts: {
    what: 'has no counterpart: at the first missing advert the master is asked, not waited for',
    instead: 'timing.probe_timeout and timing.probes say how long it is asked',
  },
  timer_expired_backup: PROTOCOL,
  thread_timer_expired: PROTOCOL,
  kernel_rx_buf_size: PROTOCOL,
  accept: UNSPOKEN,
  no_accept: {
    what: 'has no counterpart: whether a roving address takes packets is for the rules to say',
    instead: 'drop in INPUT what is for the roving addresses',
  },
  no_virtual_ipaddress: {
    what: 'has no counterpart: a service has addresses on both sides',
    instead: 'name the addresses that move, or replace the procedures that move them',
  },
  promote_secondaries: UNSPOKEN,
  dont_track_primary: {
    what: 'has no counterpart: the downlink is always tested',
    instead: 'check = ["carrier"] asks least of it',
  },
  linkbeat_use_polling: UNSPOKEN,
  linkbeat_interfaces: UNSPOKEN,
  interface_up_down_delays: {
    what: 'has no counterpart',
    instead: 'service.rise and service.fall say how many tests in a row count',
  },
  track_file: TRACKED,
  track_process: TRACKED,
  track_bfd: TRACKED,
  track_src_ip: UNSPOKEN,
  vrrp_track_file: TRACKED,
  vrrp_track_process: TRACKED,
  bfd_instance: TRACKED,
  track_group: STATIC,
  static_ipaddress: STATIC,
  static_routes: STATIC,
  static_rules: STATIC,
  static_addresses: STATIC,
  default_interface: STATIC,
  virtual_rules: RULES,
  smtp_alert: MAIL,
  notification_email: MAIL,
  notification_email_from: MAIL,
  notify_priority_changes: HOOK,
  notify_fifo: HOOK,
  notify_fifo_script: HOOK,
  vrrp_notify_fifo: HOOK,
  vrrp_notify_fifo_script: HOOK,
  lvs_sync_daemon: LVS,
  lvs_sync_daemon_interface: LVS,
  lvs_notify_fifo: LVS,
  lvs_notify_fifo_script: LVS,
  lvs_flush: LVS,
  lvs_flush_onstop: LVS,
  virtual_server: LVS,
  virtual_server_group: LVS,
  real_server: LVS,
  SSL: LVS,
  debug: UNSPOKEN,
  vrf: {
    what: 'has no counterpart',
    instead: 'start the daemon within it, as in: ip vrf exec NAME portcullis daemon --config FILE',
  },
  net_namespace: {
    what: 'has no counterpart',
    instead: 'NetworkNamespacePath= in a drop-in of both units, or: ip netns exec NAME portcullis ...',
  },
  global_tracking: UNSPOKEN,
  sync_group_tracking_weight: UNSPOKEN,
  enable_script_security: {
    what: 'has no counterpart: programs that others than root can change are never run',
    instead: '',
  },
  script_user: {
    what: 'has no counterpart: tests run as a user without any right, all else as the actuator',
    instead: '',
  },
  set_supplementary_groups: UNSPOKEN,
  startup_script: HOOK,
  shutdown_script: HOOK,
  random_seed: UNSPOKEN,
  dynamic_interfaces: UNSPOKEN,
  snmp_socket: {
    what: 'has no counterpart: no SNMP is spoken',
    instead: 'portcullis status --json',
  },
};

const BY_PATTERN: readonly (readonly [RegExp, Counterpart])[] = [
  [/^(vrrp_)?(garp|gna)_/, ANNOUNCED],
  [/^smtp_/, MAIL],
  [/^enable_(traps|snmp)/, BY_KEYWORD.snmp_socket ?? UNSPOKEN],
  [/^snmp|^enable_dbus|^dbus_/, BY_KEYWORD.snmp_socket ?? UNSPOKEN],
  [/^notify/, HOOK],
  [/^(checker|lvs|ipvs)_|^(checker|ipvs)$/, LVS],
  [
    /_(priority|no_swap|rt_priority|rlimit_rttime|rlimit_rtime|cpu_affinity)$|process_name|^use_pid_dir$|^instance$/,
    PROCESS,
  ],
  [/^(startup|shutdown)_script/, HOOK],
  [/^(child_wait_time|config_save_dir|tmp_config_directory|data_use_instance|umask|include_check)$/, PROCESS],
  [/^(reload|json|process_monitor|iproute)_|_dump_file$|_symlink_paths$|^fifo_|^namespace_with/, PROCESS],
  [/^no_(checker_emails|email_faults)$|^rs_init_notifies$/, MAIL],
  [/^vmac_garp/, ANNOUNCED],
  [/^vmac_/, VIRTUAL_MAC],
  [/_ipvs(_|$)/, LVS],
  [/^nftables/, UNSPOKEN],
  [/^(disable_local_igmp|log_unknown_vrids|min_auto_priority_delay)$/, PROTOCOL],
  [/^vrrp_/, PROTOCOL],
];

/** What takes the place of a keyword; null: it is in no row. */
export function counterpartOf(keyword: string): Counterpart | null {
  const own = Object.hasOwn(BY_KEYWORD, keyword) ? BY_KEYWORD[keyword] : undefined;
  return own ?? BY_PATTERN.find(([pattern]) => pattern.test(keyword))?.[1] ?? null;
}

/** Of what is in no row. */
export const UNKNOWN: Counterpart = {
  what: 'is not known here, and was passed over',
  instead: 'look whether it matters (keepalived.conf(5)), and whether it is spelt as there',
};

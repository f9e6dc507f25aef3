/** A configuration of the lab for a host that has the Debian package: its files where the units name them. */
const PLACES = {
  key: '/etc/portcullis/host.key',
  admin: '/etc/portcullis/admin.pub',
  state: '/var/lib/portcullis',
  roster: '/etc/portcullis/roster.cose',
  control: '/run/portcullis/control.sock',
  actuator: '/run/portcullis/actuator.sock',
  user: 'portcullis',
  rules: '/etc/portcullis/rules.v4',
  rules6: '/etc/portcullis/rules.v6',
};

export function atPackagePlaces(text: string): string {
  return Object.entries(PLACES).reduce(
    (lines, [key, value]) => lines.replace(new RegExp(`^${key} *= .*$`, 'm'), `${key} = "${value}"`),
    text,
  );
}

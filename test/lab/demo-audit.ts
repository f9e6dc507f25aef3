/** The demo's last act: the daemons end in good order, and an auditor reads what their logs say. */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { portcullis } from './gateway.ts';
import type { Lab } from './lab.ts';

export interface DemoAudit {
  readonly verified: boolean;
  /** What `audit verify` printed. */
  readonly words: readonly string[];
  /** Where the report lies, and what was said of it. */
  readonly report: string;
}

/** Stops the hosts, verifies their logs against each other, and writes the report. */
export async function auditLogs(lab: Lab): Promise<DemoAudit> {
  const { cluster, gateways } = lab;
  await Promise.all(gateways.map((host) => cluster.stop(host)));
  const logs = gateways.map((host) => join(cluster.directory, host, 'state/log'));
  const admin = ['--admin-key', join(cluster.directory, 'admin.key.pub')];
  const roster = ['--roster', join(cluster.directory, 'roster.cose'), ...admin, '--complete'];
  const verified = await portcullis('audit', 'verify', ...logs, ...roster);
  const out = join(tmpdir(), 'portcullis-demo-report.html');
  rmSync(out, { force: true });
  const report = await portcullis('audit', 'report', ...logs, ...roster, '--out', out);
  return {
    verified: verified.code === 0 && report.code === 0,
    words: verified.stdout.trim().split('\n'),
    report: report.stderr.trim(),
  };
}

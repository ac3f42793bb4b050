import {
  CONFLICTS,
  conflictsOf,
  isRead,
  PARTNER_PERMISSIONS,
  PERMISSIONS,
  type Permission,
  permissionsOf,
  ROLE_NAMES,
  roleConflicts,
  roleText,
} from './permissions.ts';

describe('roles', () => {
  it('keep duties apart, each by itself', () => {
    const conflicts = ROLE_NAMES.flatMap((role) => roleConflicts([role]));
    expect(conflicts).toEqual([]);
    expect(conflictsOf(PARTNER_PERMISSIONS)).toEqual([]);
  });

  it('are written in a line of the audit in one order, and never as nothing', () => {
    expect(roleText(['sales', 'cashier'])).toBe('cashier, sales');
    expect(roleText([])).toBe('none');
  });

  it.each([
    ['cashier', 'accountant'],
    ['cashier', 'supervisor'],
    ['cashier', 'administrator'],
    ['accountant', 'supervisor'],
    ['accountant', 'administrator'],
    ['supervisor', 'administrator'],
    ['auditor', 'cashier'],
    ['auditor', 'customer_care'],
    ['auditor', 'catalogue_manager'],
    ['catalogue_manager', 'supervisor'],
    ['catalogue_manager', 'cashier'],
  ] as const)('are refused together: %s and %s', (one, other) => {
    expect(roleConflicts([one, other])).not.toEqual([]);
  });

  it.each([
    [['cashier', 'sales']],
    [['customer_care', 'technician', 'stock']],
    [['stock', 'catalogue_manager']],
  ] as const)('may go together: %j', (roles) => {
    expect(roleConflicts(roles)).toEqual([]);
  });

  it('let an auditor read everything and do nothing', () => {
    const reads = (Object.keys(PERMISSIONS) as Permission[]).filter(isRead);
    expect(permissionsOf(['auditor'])).toEqual(reads.sort());
  });

  it('use every permission, and each conflict is about two that some role has', () => {
    const used = new Set(permissionsOf(ROLE_NAMES));
    expect(new Set(Object.keys(PERMISSIONS))).toEqual(used);
    expect(CONFLICTS.every(([a, b]) => a !== b && used.has(a) && used.has(b))).toBe(true);
  });
});

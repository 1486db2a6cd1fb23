"""The audit log can only grow: a trigger refuses every other way of writing to it."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION core_audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER core_audit_no_change BEFORE UPDATE OR DELETE ON core_auditentry
    FOR EACH ROW EXECUTE FUNCTION core_audit_append_only();
CREATE TRIGGER core_audit_no_truncate BEFORE TRUNCATE ON core_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION core_audit_append_only();
"""

BACKWARD = """
DROP TRIGGER core_audit_no_truncate ON core_auditentry;
DROP TRIGGER core_audit_no_change ON core_auditentry;
DROP FUNCTION core_audit_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0001_first")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

"""The same installation as an Ansible playbook, for large fleets."""

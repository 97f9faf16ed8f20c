"""What people and scripts see: REST, pages, import, reports."""

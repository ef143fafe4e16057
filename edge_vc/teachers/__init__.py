"""Teachers: whatever converts a recording offline can teach a student."""

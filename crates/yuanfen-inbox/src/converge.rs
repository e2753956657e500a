//! Orders whose notice does not come.

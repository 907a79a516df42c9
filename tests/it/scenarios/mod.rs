//! The stories that Baton must live through, each told in a world of its own.

mod itself;

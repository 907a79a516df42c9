//! Several of the team at one thread: what becomes of each answer, on every way and under every choice of the admin's, with the
//! real engine and the real store. `room` is the office; `table` tries each case once, `rush` many in random order.

mod room;
mod rush;
mod table;

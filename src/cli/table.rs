//! Aligned columns that fit a terminal: columns that may give way are shortened, the longest first.

use super::print::{Ink, Out, WIDTH, columns, plain, shortened};

/// The blanks between two columns.
const GAP: usize = 2;
/// A column that gives way keeps at least this.
const NARROWEST: usize = 8;

/// What a column does when the line is too long.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fit {
    /// Keeps its width, as long as it can.
    Keeps,
    /// The same, and its text stands at the right: numbers.
    KeepsRight,
    /// Is shortened.
    GivesWay,
}

/// One value of a row.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    text: String,
    ink: Ink,
}

impl Cell {
    /// A value in a colour.
    pub(super) fn new(ink: Ink, text: impl AsRef<str>) -> Cell {
        Cell { text: plain(text.as_ref()), ink }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell::new(Ink::Plain, text)
    }
}

/// Rows under headings.
#[derive(Clone, Debug)]
pub(super) struct Table {
    columns: Vec<(&'static str, Fit)>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub(super) fn new(columns: &[(&'static str, Fit)]) -> Table {
        Table { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row, one cell for each column.
    pub(super) fn add(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Prints headings and rows.
    pub(super) fn print(&self, out: &mut Out) -> anyhow::Result<()> {
        let widths = self.widths();
        let headings: Vec<Cell> =
            self.columns.iter().map(|(heading, _)| Cell::new(Ink::Faint, heading)).collect();
        for row in std::iter::once(&headings).chain(&self.rows) {
            let line = self.laid_out(row, &widths, out);
            out.line(format_args!("{}", line.trim_end()))?;
        }
        Ok(())
    }

    fn widths(&self) -> Vec<usize> {
        let natural = |at: usize, heading: &str| {
            let cells = self.rows.iter().filter_map(|row| row.get(at));
            let widest = cells.map(|cell| columns(&cell.text)).max().unwrap_or(0);
            widest.max(columns(heading)).min(WIDTH)
        };
        let mut widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, (heading, _))| natural(at, heading))
            .collect();
        let gaps = GAP * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > WIDTH {
            let Some(widest) = self.next_to_give_way(&mut widths) else { break };
            *widest -= 1;
        }
        widths
    }

    /// The widest column that gives way; when all of those are as narrow as can be, the widest of all.
    fn next_to_give_way<'a>(&self, widths: &'a mut [usize]) -> Option<&'a mut usize> {
        let gives = |at: usize, width: usize| {
            let willing = self.columns.get(at).is_some_and(|(_, fit)| *fit == Fit::GivesWay);
            (willing && width > NARROWEST, width)
        };
        let (_, widest) = widths
            .iter_mut()
            .enumerate()
            .filter(|(_, width)| **width > 1)
            .max_by_key(|(at, width)| gives(*at, **width))?;
        Some(widest)
    }

    fn laid_out(&self, row: &[Cell], widths: &[usize], out: &Out) -> String {
        let mut line = String::new();
        for ((cell, width), (_, fit)) in row.iter().zip(widths).zip(&self.columns) {
            if !line.is_empty() {
                line.push_str(&" ".repeat(GAP));
            }
            let text = shortened(&cell.text, *width);
            let blanks = " ".repeat(width.saturating_sub(columns(&text)));
            let painted = out.painted(cell.ink, &text);
            match fit {
                Fit::KeepsRight => line.extend([blanks, painted]),
                Fit::Keeps | Fit::GivesWay => line.extend([painted, blanks]),
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::print::tests::Paper;

    fn printed(table: &Table) -> String {
        let paper = Paper::default();
        let mut out = paper.out();
        table.print(&mut out).unwrap();
        out.finish().unwrap();
        paper.text()
    }

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&[
            ("id", Fit::KeepsRight),
            ("state", Fit::Keeps),
            ("subject", Fit::GivesWay),
        ]);
        table.add(vec!["#9".into(), "new".into(), "Kettle".into()]);
        table.add(vec!["#12".into(), "in-progress".into(), "水壶 x".into()]);
        let expected =
            " id  state        subject\n #9  new          Kettle\n#12  in-progress  水壶 x\n";
        assert_eq!(printed(&table), expected);
    }

    #[test]
    fn a_table_fits_a_hundred_columns_whatever_is_in_it() {
        let long = "very long words ".repeat(30);
        for fit in [Fit::Keeps, Fit::KeepsRight, Fit::GivesWay] {
            let mut table = Table::new(&[
                ("id", Fit::KeepsRight),
                ("who", fit),
                ("subject", Fit::GivesWay),
                ("when", Fit::Keeps),
            ]);
            table.add(vec!["#12".into(), (&long).into(), (&long).into(), "3h".into()]);
            let text = printed(&table);
            for line in text.lines() {
                assert!(columns(line) <= WIDTH, "{line}");
            }
            assert!(text.contains("#12") && text.contains("3h") && text.contains('…'), "{text}");
        }
    }

    #[test]
    fn what_gives_way_does_so_before_what_keeps_its_width() {
        let mut table = Table::new(&[("customer", Fit::Keeps), ("subject", Fit::GivesWay)]);
        let address = "somebody.with.a.long.name@department.example.test";
        table.add(vec![address.into(), "subject ".repeat(40).into()]);
        assert!(printed(&table).contains(address));
    }
}

//! Tables for a terminal of 80 columns.

/// Columns that a line may take.
const WIDTH: usize = 80;

/// What stands between two columns.
const GAP: usize = 2;

/// Rows under a heading, each column as wide as its widest cell. The last column is cut where the
/// line is full.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(heading: &[&str]) -> Table {
        Table { rows: vec![heading.iter().map(|&cell| cell.to_owned()).collect()] }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table's lines, each with its line break.
    pub fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
            })
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let cell: String =
                    cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
                if column + 1 == columns {
                    line += &cut(&cell, WIDTH.saturating_sub(line.chars().count()));
                } else {
                    line += &format!("{cell:width$}", width = widths[column] + GAP);
                }
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept.trim_end().to_owned() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_the_last_is_cut() {
        let mut table = Table::new(&["step", "what"]);
        table.row(["e2e".to_owned(), "x".repeat(100)]);
        table.row(["budget".to_owned(), "two\nlines".to_owned()]);
        let text = table.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "step    what");
        assert_eq!(lines[1].chars().count(), WIDTH);
        assert!(lines[1].starts_with("e2e     xxx") && lines[1].ends_with('…'));
        assert_eq!(lines[2], "budget  two lines");
    }
}

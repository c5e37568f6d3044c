//! Compares what was measured with what is allowed.

mod margins;

use std::process::ExitCode;

use margins::{MARGINS, Margin};

use crate::cases::{self, Case};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    #[allow(dead_code, reason = "each of the two gates counts one of them")]
    Instructions,
    #[allow(dead_code, reason = "each of the two gates counts one of them")]
    Allocations,
}

impl Counted {
    fn allowed(self, margin: &Margin) -> f64 {
        match self {
            Self::Instructions => margin.instructions,
            Self::Allocations => margin.allocations,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Instructions => "instructions",
            Self::Allocations => "allocations",
        }
    }

    /// Instructions are shown as whole numbers; of allocations the hundredths matter.
    fn show(self, figure: f64) -> String {
        match self {
            Self::Instructions => format!("{figure:.0}"),
            Self::Allocations => format!("{figure:.2}"),
        }
    }
}

/// Prints a table of what each case costs each time, and fails where one costs more than it may.
pub(crate) fn judge(counted: Counted, figures: &[(Case, f64)]) -> ExitCode {
    println!("{:<40} {:>12} {:>10} {:>10}  over", "case", counted.name(), "more", "allowed");
    let mut failures = Vec::new();
    for (case, figure) in figures {
        let margin = MARGINS.iter().find(|margin| margin.case == case.name);
        let base = margin.and_then(|margin| figures.iter().find(|(case, _)| case.name == margin.over));
        let Some((margin, (_, base))) = margin.zip(base) else {
            println!("{:<40} {:>12}", case.name, counted.show(*figure));
            continue;
        };
        let (more, allowed) = (figure - base, counted.allowed(margin));
        let shown = [*figure, more, allowed].map(|figure| counted.show(figure));
        println!("{:<40} {:>12} {:>10} {:>10}  {}", case.name, shown[0], shown[1], shown[2], margin.over);
        if more > allowed {
            let [_, more, allowed] = shown;
            let name = counted.name();
            failures.push(format!(
                "'{}' costs {more} {name} more than '{}'; {allowed} are allowed",
                case.name, margin.over
            ));
        }
    }
    let unknown = MARGINS.iter().filter(|margin| !cases::ALL.iter().any(|case| case.name == margin.case));
    failures.extend(unknown.map(|margin| format!("there is no case '{}', for which there is a margin", margin.case)));
    for failure in &failures {
        eprintln!("FAILED: {failure} (benches/gate/margins.rs)");
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

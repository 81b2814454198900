//! `docs/errors.md` is generated from the table of reasons.

use core::fmt::Write as _;

use quectel_azure::Reason;
use quectel_azure_tests::golden;

#[test]
fn the_error_page_is_the_table() {
    let mut page = String::from(
        "# Errors\n\n\
         Generated from `crates/quectel-azure/src/reason.rs` by `UPDATE_GOLDEN=1 cargo test -p quectel-azure-tests --test errors`.\n\
         The name is a reason's identity; the number exists for C and is never used for another reason.\n\
         The likely causes are entries of the doctor's catalogue.\n\n\
         | number | name | blame | what happened | what to do | likely causes |\n\
         | ---: | --- | --- | --- | --- | --- |\n",
    );
    for reason in Reason::ALL {
        let causes = reason.causes().join("`, `");
        let causes = if causes.is_empty() {
            causes
        } else {
            format!("`{causes}`")
        };
        writeln!(
            page,
            "| {} | `{}` | {} | {} | {} | {causes} |",
            reason.number(),
            reason.name(),
            reason.blame().name(),
            reason.text(),
            reason.remedy(),
        )
        .expect("a string takes everything");
    }
    golden("docs/errors.md", &page);
}

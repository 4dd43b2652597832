//! The HTTP contract: what comes in as an event of API Gateway or a function URL, what goes out, and the table of
//! routes between them.

mod call;
mod fields;
pub mod page;
mod problem;
mod reply;
pub mod routes;
mod unleash;

pub use call::{Call, EventVersion, Media};
pub use fields::Fields;
pub use problem::{FieldProblem, Refusal};
pub use reply::Reply;

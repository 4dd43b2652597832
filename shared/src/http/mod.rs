//! The HTTP contract: what comes in as an event of API Gateway or a function URL, what goes out, and the table of
//! routes between them.

mod call;
pub mod event;
mod fields;
pub mod page;
mod problem;
mod reply;
pub mod routes;
mod unleash;

pub use call::{AcceptedContentType, Call};
pub use fields::Fields;
pub use lambda_http::http::StatusCode;
pub use problem::{ApiError, FieldProblem};
pub use reply::Reply;

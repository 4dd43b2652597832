//! The HTTP contract: events of API Gateway and function URLs, the table of routes, and responses.

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

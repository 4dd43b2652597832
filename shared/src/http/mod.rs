//! The HTTP contract: events of API Gateway and function URLs, the table of routes, and responses.

mod call;
mod error;
pub mod event;
mod fields;
pub mod page;
mod problem;
mod render;
mod reply;
pub mod routes;
mod unleash;

pub use call::{AcceptedContentType, Call};
pub use error::{ApiError, FieldProblem};
pub use fields::Fields;
pub use lambda_http::http::StatusCode;
pub use render::render;
pub use reply::Reply;

//! The routes of a function. Tests join those of the three, and compare the OpenAPI document, the SAM template and the router of
//! `cargo lambda watch` with them.

use crate::api_key::Scope;

/// Who may call a route. `E` is the function's enum of endpoints.
#[derive(Clone, Copy, Debug)]
pub enum Access<E> {
    /// Callers with an API key of this scope and, unless keys are required, anonymous ones.
    Anyone(Scope),
    /// Only callers with an API key of this scope.
    Trusted(Scope),
    /// People: it is a page. A browser cannot send an API key, so where keys are required there is no page.
    People,
    /// As [`Self::People`], at this endpoint, without the query parameter `token`; with it as [`Self::Anyone`].
    PeopleWithoutToken(Scope, E),
}

/// The format of error responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Problem documents (RFC 9457).
    Problem,
    /// The format of Unleash, an open-source feature flag service whose clients call `/auth/reset/*`.
    Unleash,
}

/// One row of a function's table.
#[derive(Clone, Copy, Debug)]
pub struct Route<E> {
    /// The method.
    pub method: &'static str,
    /// The path as documented. Every path is served with and without its trailing slash.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access<E>,
    /// What it does.
    pub endpoint: E,
}

impl<E> Route<E> {
    /// A `GET` route.
    pub const fn get(path: &'static str, access: Access<E>, endpoint: E) -> Self {
        Self { method: "GET", path, access, endpoint }
    }

    /// A `POST` route.
    pub const fn post(path: &'static str, access: Access<E>, endpoint: E) -> Self {
        Self { method: "POST", path, access, endpoint }
    }

    /// The format of this route's errors.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        if self.path.starts_with("/auth/") { Dialect::Unleash } else { Dialect::Problem }
    }
}

/// The route in `routes` of `method` and `path`, with or without its trailing slash.
#[must_use]
pub fn find<E>(routes: &'static [Route<E>], method: &str, path: &str) -> Option<&'static Route<E>> {
    let path = without_slash(path);
    routes.iter().find(|route| route.method == method && without_slash(route.path) == path)
}

fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: [Route<u8>; 3] = [
        Route::get("/organizations/reset-password/", Access::People, 0),
        Route::post("/organizations/reset-password/", Access::Anyone(Scope::Reset), 1),
        Route::get("/auth/reset/validate", Access::Anyone(Scope::Validate), 2),
    ];

    #[test]
    fn a_route_is_found_with_and_without_its_slash() {
        for (endpoint, method, path) in [
            (0, "GET", "/organizations/reset-password"),
            (1, "POST", "/organizations/reset-password"),
            (2, "GET", "/auth/reset/validate"),
        ] {
            for path in [path.to_owned(), format!("{path}/")] {
                assert_eq!(
                    find(&ROUTES, method, &path).map(|route| route.endpoint),
                    Some(endpoint),
                    "{path}"
                );
            }
        }
    }

    #[test]
    fn another_path_or_method_is_not_found() {
        for path in [
            "",
            "/",
            "//organizations/reset-password",
            "/organizations/reset-password//",
            "/Organizations/reset-password",
            "/prod/organizations/reset-password",
        ] {
            assert!(find(&ROUTES, "POST", path).is_none(), "{path}");
        }
        assert!(find(&ROUTES, "PUT", "/organizations/reset-password").is_none());
        assert!(find(&ROUTES, "POST", "/auth/reset/validate").is_none());
    }
}

//! The table of routes. The OpenAPI document, the SAM template and the local router are compared with it by tests.

/// One of the three functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionName {
    /// Opens reset requests.
    Reset,
    /// Mails reset tokens and checks tokens.
    Validate,
    /// Sets passwords.
    Complete,
}

impl FunctionName {
    /// The function's name in packages, routers and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Validate => "validate",
            Self::Complete => "complete",
        }
    }
}

/// What a route does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Opens a reset request.
    OpenRequest,
    /// The page "Forgot your password?".
    ForgotPage,
    /// Mails or checks the token in the query; without one, where a page exists, the page "Choose a new password".
    ValidateQuery {
        /// Whether the page stands at this path.
        page: bool,
    },
    /// Mails or checks the token in the body.
    ValidateBody,
    /// Sets the password.
    Complete,
    /// Unleash: orders a mail in one call, without a request.
    UnleashRequest,
    /// Unleash: whose token this is.
    UnleashValidate,
    /// Unleash: whether a password would do.
    UnleashValidatePassword,
    /// Unleash: sets the password.
    UnleashComplete,
}

/// How errors look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// RFC 9457.
    Problem,
    /// Unleash's.
    Unleash,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path as documented. Every path is served with and without its trailing slash.
    pub path: &'static str,
    /// Who serves it.
    pub function: FunctionName,
    /// What it does.
    pub endpoint: Endpoint,
}

impl Route {
    /// How this route's errors look.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        if self.path.starts_with("/auth/") { Dialect::Unleash } else { Dialect::Problem }
    }
}

const fn route(
    method: &'static str,
    path: &'static str,
    function: FunctionName,
    endpoint: Endpoint,
) -> Route {
    Route { method, path, function, endpoint }
}

/// Every route.
pub const ROUTES: [Route; 15] = {
    use Endpoint::{
        Complete, ForgotPage, OpenRequest, UnleashComplete, UnleashRequest, UnleashValidate,
        UnleashValidatePassword, ValidateBody, ValidateQuery,
    };
    use FunctionName::{Complete as CompleteFn, Reset, Validate};
    [
        route("POST", "/organizations/reset-password/", Reset, OpenRequest),
        route("POST", "/timp/organizations/reset-password/", Reset, OpenRequest),
        route("POST", "/api/organizations/reset-password/", Reset, OpenRequest),
        route("GET", "/organizations/reset-password/", Reset, ForgotPage),
        route("GET", "/organizations/complete-password/", Validate, ValidateQuery { page: true }),
        route("GET", "/timp/organizations/complete-password/", Validate, ValidateQuery { page: false }),
        route("GET", "/api/organizations/complete-password/", Validate, ValidateQuery { page: false }),
        route("POST", "/organizations/validate-password-reset/", Validate, ValidateBody),
        route("POST", "/organizations/complete-password/", CompleteFn, Complete),
        route("POST", "/timp/organizations/complete-password/", CompleteFn, Complete),
        route("POST", "/api/organizations/complete-password/", CompleteFn, Complete),
        route("POST", "/auth/reset/password-email", Validate, UnleashRequest),
        route("GET", "/auth/reset/validate", Validate, UnleashValidate),
        route("POST", "/auth/reset/validate-password", CompleteFn, UnleashValidatePassword),
        route("POST", "/auth/reset/password", CompleteFn, UnleashComplete),
    ]
};

/// The route of `method` and `path`, which may lack or have its trailing slash, if `function` serves it.
#[must_use]
pub fn find(function: FunctionName, method: &str, path: &str) -> Option<&'static Route> {
    let bare = |path: &str| path.strip_suffix('/').unwrap_or(path).to_owned();
    let path = bare(path);
    ROUTES
        .iter()
        .find(|route| route.function == function && route.method == method && bare(route.path) == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_found_with_and_without_its_slash_and_by_its_function_alone() {
        for route in &ROUTES {
            let bare = route.path.trim_end_matches('/');
            for path in [bare.to_owned(), format!("{bare}/")] {
                assert_eq!(
                    find(route.function, route.method, &path).map(|r| r.endpoint),
                    Some(route.endpoint),
                    "{path}"
                );
            }
            let other = if route.function == FunctionName::Reset {
                FunctionName::Complete
            } else {
                FunctionName::Reset
            };
            assert!(find(other, route.method, bare).is_none(), "{bare}");
        }
    }

    #[test]
    fn what_is_no_route_is_not_found() {
        for path in [
            "",
            "/",
            "//organizations/reset-password",
            "/organizations/reset-password//",
            "/Organizations/reset-password",
            "/prod/organizations/reset-password",
        ] {
            assert!(find(FunctionName::Reset, "POST", path).is_none(), "{path}");
        }
        assert!(find(FunctionName::Reset, "PUT", "/organizations/reset-password").is_none());
    }
}

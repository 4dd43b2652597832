//! The table of routes. Tests compare the OpenAPI document, the SAM template and the router of `cargo lambda watch` with it.

use crate::api_key::Scope;

/// One of the three functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionName {
    /// Opens reset requests.
    Reset,
    /// Orders mails and checks tokens.
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
    /// Orders a mail for the request token in the query, or checks the reset token. Without a token: the page "Choose a new password".
    ValidateQuery {
        /// Whether this path has the page.
        page: bool,
    },
    /// The same for the token in the body.
    ValidateBody,
    /// Orders a mail for an account's first password. Not for anonymous callers.
    Invite,
    /// Sets the password.
    Complete,
    /// Unleash: orders a mail in one call, without a request.
    UnleashRequest,
    /// Unleash: checks a reset token and returns its account.
    UnleashValidate,
    /// Unleash: checks a password.
    UnleashValidatePassword,
    /// Unleash: sets the password.
    UnleashComplete,
}

/// The format of error responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Problem documents (RFC 9457).
    Problem,
    /// Unleash's format.
    Unleash,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path as documented. Every path is served with and without its trailing slash.
    pub path: &'static str,
    /// The function that serves it.
    pub function: FunctionName,
    /// What it does.
    pub endpoint: Endpoint,
}

impl Route {
    /// The scope that an API key needs for this route.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        match (self.endpoint, self.function) {
            (Endpoint::Invite, _) => Scope::Invite,
            (_, FunctionName::Reset) => Scope::Reset,
            (_, FunctionName::Validate) => Scope::Validate,
            (_, FunctionName::Complete) => Scope::Complete,
        }
    }

    /// The format of this route's errors.
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
pub const ROUTES: [Route; 16] = {
    use Endpoint::{
        Complete, ForgotPage, Invite, OpenRequest, UnleashComplete, UnleashRequest, UnleashValidate,
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
        route("POST", "/organizations/invite/", Validate, Invite),
        route("POST", "/organizations/complete-password/", CompleteFn, Complete),
        route("POST", "/timp/organizations/complete-password/", CompleteFn, Complete),
        route("POST", "/api/organizations/complete-password/", CompleteFn, Complete),
        route("POST", "/auth/reset/password-email", Validate, UnleashRequest),
        route("GET", "/auth/reset/validate", Validate, UnleashValidate),
        route("POST", "/auth/reset/validate-password", CompleteFn, UnleashValidatePassword),
        route("POST", "/auth/reset/password", CompleteFn, UnleashComplete),
    ]
};

/// The route of `method` and `path`, with or without its trailing slash, if `function` serves it.
#[must_use]
pub fn find(function: FunctionName, method: &str, path: &str) -> Option<&'static Route> {
    let without_slash = |path: &str| path.strip_suffix('/').unwrap_or(path).to_owned();
    let path = without_slash(path);
    ROUTES.iter().find(|route| {
        route.function == function && route.method == method && without_slash(route.path) == path
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_found_with_and_without_its_slash_for_its_function_only() {
        for route in &ROUTES {
            let without_slash = route.path.trim_end_matches('/');
            for path in [without_slash.to_owned(), format!("{without_slash}/")] {
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
            assert!(find(other, route.method, without_slash).is_none(), "{without_slash}");
        }
    }

    #[test]
    fn an_unknown_path_is_not_found() {
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

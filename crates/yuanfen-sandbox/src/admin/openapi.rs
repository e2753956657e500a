//! The description of all this in OpenAPI 3.1.

use bytes::Bytes;
use http::Response;

use super::answer::{Wrong, file};
use super::ask::Ask;
use crate::FarSide;

pub(super) fn document(_far_side: &FarSide, _ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    Ok(file(
        "application/json",
        Bytes::from_static(include_bytes!("openapi.json")),
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::super::routes::ROUTES;

    type Operations = BTreeMap<(String, String), (BTreeSet<String>, BTreeSet<String>)>;

    /// Method and path, with the parameters of its path and its query.
    fn routed() -> Operations {
        let operations = ROUTES.iter().map(|route| {
            let named = route.path.split('/').filter_map(|segment| segment.strip_prefix('{'));
            let in_path = named.map(|name| name.trim_end_matches('}').to_owned()).collect();
            let in_query = route.query.iter().map(|name| (*name).to_owned()).collect();
            ((route.method.to_string(), route.path.to_owned()), (in_path, in_query))
        });
        operations.collect()
    }

    fn described(document: &Value) -> Operations {
        let mut operations = Operations::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let names = |place: &str| {
                    let parameters = operation["parameters"].as_array();
                    parameters
                        .into_iter()
                        .flatten()
                        .map(|parameter| match parameter["$ref"].as_str() {
                            Some(address) => document.pointer(address.trim_start_matches('#')).unwrap(),
                            None => parameter,
                        })
                        .filter(|parameter| parameter["in"] == place)
                        .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
                        .collect()
                };
                let key = (method.to_uppercase(), path.clone());
                operations.insert(key, (names("path"), names("query")));
            }
        }
        operations
    }

    #[test]
    fn describes_every_route_and_no_other() {
        let document: Value = serde_json::from_str(include_str!("openapi.json")).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(routed().len(), ROUTES.len());
        assert_eq!(described(&document), routed());
    }
}

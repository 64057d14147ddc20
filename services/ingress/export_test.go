package ingress

// Routes lists all routes as "METHOD path".
func (s *Server) Routes() (all []string) {
	for _, r := range s.routes() {
		all = append(all, r.method+" "+r.path)
	}
	return all
}

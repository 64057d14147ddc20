package ingress

func (s *Server) accountRoutes() []route { return nil }
